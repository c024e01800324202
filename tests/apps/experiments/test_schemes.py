import re
import shutil
import subprocess
import tomllib
from importlib.resources import files
from itertools import permutations
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aldis.apps.experiments.entity import Mapped, Type
from aldis.apps.experiments.entity.affiliations import (
    AFFILIATIONS,
    affiliation_of,
    affiliation_of_force,
    force_of,
    sidc_digit,
    sidc_letter,
    type_letter,
)
from aldis.apps.experiments.entity.schemes import FILE, SCHEMES, STEP, complete, moves, read, things

TABLE: dict[str, Any] = tomllib.loads((files("aldis.apps.experiments.entity") / FILE).read_text("utf-8"))
ROWS = [(row["is"], *code[:3], *(code[3:] or ["both"])) for row in TABLE["thing"] for code in row["codes"]]
SIDES = st.none() | st.sampled_from(sorted(AFFILIATIONS))
SAID = st.builds(
    Type,
    siso=st.none() | st.from_regex(r"\A[1-5]\.[0-5]\.\d{1,3}\.\d{1,3}\.\d\.\d\.\d\Z") | st.text(max_size=12),
    cot=st.none() | st.from_regex(r"\Aa-[a-z.]-[A-Z](-[A-Za-z]){0,4}\Z") | st.text(max_size=12),
    ship_type=st.none() | st.integers(-1, 300),
    mav_type=st.none() | st.integers(-1, 60),
    sidc=st.none() | st.from_regex(r"\AS[A-Z]S[A-Z][A-Z-]{6}-----\Z") | st.text(max_size=22),
    affiliation=SIDES,
    station=st.none() | st.sampled_from(["class A", "class B", "base station", "aid to navigation", "aircraft"]),
    length_m=st.none() | st.floats(1, 400),
)
MMSI = st.none() | st.integers(0, 999_999_999) | st.text(max_size=9)


def codes(made: Type) -> dict[str, Mapped]:
    return {one.scheme: one for one in made.mapped or ()}


def typed(scheme: str, code: str) -> Type:
    """A type of which one code was said."""
    field = {"sidc_digits": "sidc"}.get(scheme, scheme)
    return msgspec.convert({field: int(code) if field in ("ship_type", "mav_type") else code}, Type)


@given(SAID, MMSI)
def test_what_was_said_stands_as_it_was_said_and_is_not_mapped_to(said: Type, mmsi: int | str | None) -> None:
    made = complete(said, mmsi)
    assert msgspec.structs.replace(made, mapped=None) == said
    for scheme, one in codes(made).items():
        assert 0 < one.confidence <= 1
        assert scheme in SCHEMES
        assert getattr(said, scheme, None) is None or (scheme == "sidc" and (said.sidc or "")[:1].isdigit())
    assert complete(made, mmsi) == made
    assert len(codes(made)) == len(made.mapped or ())


@given(SAID)
def test_every_code_that_is_mapped_to_is_read_back_as_that_thing_or_what_it_is_a_kind_of(said: Type) -> None:
    for scheme, one in codes(complete(said)).items():
        found = read(scheme, one.code)
        assert found is not None or scheme in ("ship_type", "mav_type")


@pytest.mark.parametrize("thing", things(), ids=lambda thing: thing.name)
def test_confidences_multiply_along_the_way(thing: Any) -> None:
    for scheme, code, confidence, way in [row[1:] for row in ROWS if row[0] == thing.name]:
        if way == "out" or scheme in ("station", "mmsi") or "*" in code:
            continue
        made = codes(complete(typed(scheme, _whole(scheme, code))))
        for other in set(made) - {"sidc_digits"}:
            left = confidence
            above = thing
            while other not in above.called:
                above, left = above.of, left * STEP
            assert made[other].confidence == pytest.approx(left * above.called[other][1], abs=1e-4)


def _whole(scheme: str, code: str) -> str:
    """A code of the table as it stands in a message."""
    dimension, _, function = code.partition(":")
    whole = {
        "siso": ".".join([*code.split("."), *"0000000"][:7]),
        "cot": f"a-u-{code}",
        "sidc": f"SU{dimension}P{function:-<6}-----",
        "sidc_digits": f"1001{dimension}0000{function:0<6}0000",
    }
    return whole.get(scheme, code)


def test_the_table_is_sound() -> None:
    names = [row["is"] for row in TABLE["thing"]]
    assert len(set(names)) == len(names)
    inward = [(scheme, code) for _, scheme, code, _, way in ROWS if way != "out"]
    assert len(set(inward)) == len(inward), "a code calls two things"
    outward = [(name, scheme) for name, scheme, _, _, way in ROWS if way == "out"]
    assert len(set(outward)) == len(outward)
    assert {scheme for _, scheme, *_ in ROWS} <= TABLE["sources"].keys() == {*SCHEMES, "station", "mmsi"}
    assert all(0 < confidence <= 1 and way in ("in", "out", "both") for *_, confidence, way in ROWS)
    assert {thing.moves for thing in things()} == {"sea", "land", "air", "space"}


@pytest.mark.parametrize("code", range(20, 100))
def test_every_ship_type_of_ais_in_use_leads_to_every_scheme_of_the_sea(code: int) -> None:
    in_use = code // 10 in (2, 4, 6, 7, 8, 9) or code in (*range(30, 38), *range(50, 60))
    made = codes(complete(Type(ship_type=code, affiliation="neutral")))
    assert made.keys() == ({"siso", "cot", "mav_type", "sidc", "sidc_digits"} if in_use else set())
    if in_use:
        assert made["cot"].code.startswith("a-n-S")
        assert made["siso"].code.startswith("1.3.0.")
        assert moves(Type(ship_type=code)) == "sea"


@pytest.mark.parametrize(
    ("said", "scheme", "code"),
    [
        (Type(ship_type=70), "cot", "a-o-S-X-M-C"),
        (Type(cot="a-f-S-X-M-C"), "sidc", "SFSPXMC--------"),
        (Type(cot="a-f-S-X-M-C"), "sidc_digits", "10033000001401010000"),
        (Type(sidc="10033000001402020000"), "cot", "a-f-S-X-F-T-R"),
        (Type(sidc="SNSPXFTR-------"), "ship_type", "30"),
        (Type(siso="1.3.225.19.1.0.0"), "mav_type", "11"),
        (Type(mav_type=12, affiliation="friend"), "cot", "a-f-U-S-U"),
        (Type(mav_type=2), "siso", "1.2.0.50.0.0.0"),
        (Type(mav_type=10), "siso", "1.1.0.50.0.0.0"),
        (Type(siso="1.2.224.9.0.0.0"), "cot", "a-o-A"),
        (Type(station="aircraft"), "siso", "1.2.0.9.0.0.0"),
        (Type(station="base station"), "cot", "a-o-G-I"),
        (Type(cot="a-f-S-X-M-C-unheard-of"), "ship_type", "70"),
        (Type(siso="1.3.71.83.9.9.9"), "cot", "a-o-S-X"),
    ],
)
def test_what_is_common_at_sea_is_mapped_as_one_expects(said: Type, scheme: str, code: str) -> None:
    assert codes(complete(said))[scheme].code == code


@pytest.mark.parametrize(("mmsi", "siso"), [(970123456, "1.3.0.101.0.0.0"), (972123456, "3.3.0.0.0.0.0"),
                                            (111230506, "1.2.0.9.0.0.0")])  # fmt: skip
def test_a_number_tells_beacons_and_rescue_aircraft(mmsi: int, siso: str) -> None:
    assert codes(complete(Type(), mmsi))["siso"].code == siso


def test_the_more_exact_of_two_codes_counts_and_of_siblings_the_surer() -> None:
    exact = codes(complete(Type(station="class A", ship_type=30, siso="1.3.0.0.0.0.0")))
    assert exact["cot"].code == "a-o-S-X-F"
    siblings = codes(complete(Type(ship_type=33, sidc="SUSPXF---------")))
    assert siblings["cot"].code == "a-u-S-X-F"


@pytest.mark.parametrize(
    "said",
    [
        Type(), Type(cot="b-m-p-s-m"), Type(cot="a-f"), Type(cot="a-f-Z"), Type(siso="2.9.225.1.1.1.1"),
        Type(siso="nonsense"), Type(ship_type=0), Type(ship_type=255), Type(mav_type=26), Type(sidc="SFSP"),
        Type(sidc="10031500"), Type(affiliation="friend"),
    ],
)  # fmt: skip
def test_what_nobody_knows_leads_to_nothing(said: Type) -> None:
    assert complete(said, 230123456) is said
    assert moves(said) is None


def test_nobody_is_given_a_side_that_nobody_said() -> None:
    made = codes(complete(Type(ship_type=70)))
    assert made["cot"].code[2] == "o" and made["sidc"].code[1] == "O" and "sidc_digits" not in made
    for side in AFFILIATIONS:
        made = codes(complete(Type(ship_type=70, affiliation=side)))  # type: ignore[arg-type]
        assert affiliation_of(made["cot"].code, None) == side
        assert ("sidc_digits" in made) == (side != "other")
        if side != "other":
            assert affiliation_of(None, made["sidc"].code) == affiliation_of(None, made["sidc_digits"].code) == side


def test_sides_come_back_from_every_scheme_that_has_them() -> None:
    for side in AFFILIATIONS:
        assert affiliation_of(f"a-{type_letter(side)}-S", None) == side
        assert affiliation_of(None, f"S{sidc_letter(side)}SP-----------") == (side if side != "other" else None)
        force = force_of(side)
        assert force is None or affiliation_of_force(force) == side
    assert (type_letter(None), sidc_letter(None), sidc_digit(None), force_of(None)) == ("o", "O", None, None)
    assert affiliation_of_force(4) == affiliation_of_force(28) == "friend"
    assert affiliation_of_force(31) is None
    assert affiliation_of("b-a-o", "x") is None


def test_a_code_of_a_partner_that_is_surer_is_kept_beside_ours() -> None:
    theirs = [
        Mapped(scheme="cot", code="a-f-S-X-M-C", confidence=0.99),
        Mapped(scheme="theirs", code="7", confidence=0.5),
    ]
    made = codes(complete(Type(ship_type=70, mapped=theirs)))
    assert made["cot"].code == "a-f-S-X-M-C" and made["theirs"].code == "7"
    unsure = [Mapped(scheme="cot", code="a-f-G", confidence=0.1)]
    assert codes(complete(Type(ship_type=70, mapped=unsure)))["cot"].code == "a-o-S-X-M-C"


def test_no_two_codes_said_of_one_thing_change_each_other() -> None:
    kinds = [Type(ship_type=70), Type(cot="a-n-S-X-M-C"), Type(mav_type=11), Type(siso="1.3.0.81.0.0.0")]
    for one, other in permutations(kinds, 2):
        first, then = (msgspec.structs.asdict(kind) for kind in (one, other))
        said = {name: value for name in first if (value := first[name] or then[name])}
        made = complete(Type(**said))
        assert {name: getattr(made, name) for name in said} == said
        assert not codes(made).keys() & said.keys()


MAV_TYPES = {
    "unmanned surface vehicle": {"SURFACE_BOAT"},
    "unmanned underwater vehicle": {"SUBMARINE"},
    "ground control station": {"GCS", "ANTENNA_TRACKER"},
    "aircraft": {"ADSB", "FLARM"},
    "airship": {"AIRSHIP"},
    "balloon": {"FREE_BALLOON"},
    "unmanned aeroplane": {"FIXED_WING"},
    "multirotor": {
        "QUADROTOR", "HEXAROTOR", "OCTOROTOR", "TRICOPTER", "DODECAROTOR", "DECAROTOR", "GENERIC_MULTIROTOR",
    },
    "unmanned ground vehicle": {"GROUND_ROVER", "GROUND_QUADRUPED"},
    "spacecraft": {"SPACECRAFT_ORBITER"},
}  # fmt: skip


@pytest.mark.parametrize("thing", MAV_TYPES)
def test_codes_of_mavlink_have_the_names_that_its_own_definitions_give_them(thing: str) -> None:
    common = pytest.importorskip("pymavlink.dialects.v20.common")
    names = {number: entry.name.removeprefix("MAV_TYPE_") for number, entry in common.enums["MAV_TYPE"].items()}
    found = {names[int(code)] for one, scheme, code, _, _ in ROWS if (one, scheme) == (thing, "mav_type")}
    assert found == MAV_TYPES[thing]


SISO_WORDS = {
    "fishing vessel": "Fishing", "tanker": "Tanker", "passenger ship": "Passenger", "cargo ship": "Dry Cargo",
    "sailing craft": "Sailboat", "motor boat": "Motorboat", "patrol craft": "Patrol", "landing craft": "Landing",
    "mine countermeasures ship": "Mine Countermeasure", "law enforcement vessel": "Coast Guard",
    "search and rescue craft": "Search and Rescue", "survival craft": "Life-Saving", "civil helicopter": "Helicopter",
    "search and rescue aircraft": "Rescue", "balloon": "Balloon", "airship": "Airship", "unmanned ground vehicle":
    "Unmanned", "unmanned aerial vehicle": "Unmanned", "unmanned underwater vehicle": "Unmanned",
    "civil aeroplane": "Fixed Wing", "military helicopter": "Helicopter",
}  # fmt: skip


@pytest.mark.slow
def test_codes_of_siso_mean_what_tshark_says_they_mean() -> None:
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("needs Debian's tshark")
    said = subprocess.run([tshark, "-G", "values"], capture_output=True, text=True, timeout=60, check=True).stdout
    domains = {"land": "1.1", "air": "1.2", "surface": "1.3", "subsurface": "1.4"}
    names = {
        f"{domains[domain]}.0.{number}": name
        for domain, number, name in re.findall(r"^V\tdis\.category\.(\w+)\t(\d+)\t(.+)$", said, re.MULTILINE)
        if domain in domains
    }
    assert len(names) > 100
    for one, scheme, code, _, _ in ROWS:
        if scheme == "siso" and one in SISO_WORDS and code in names:
            assert SISO_WORDS[one] in names[code], (one, code)
