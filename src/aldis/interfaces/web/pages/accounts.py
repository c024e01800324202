"""The form of an account: what it shows of one, and the account that it states."""

from __future__ import annotations

from aldis.interfaces.cli.signing_in import rungs
from aldis.interfaces.cli.text import DAY_MS, day, midnight
from aldis.interfaces.web.duties import allowed
from aldis.interfaces.web.visit import Visit
from aldis.kernel.authority import Role
from aldis.kernel.errors import InvalidInput, UnknownTerm
from aldis.node.people import Account

__all__ = ["account_of", "fields_of", "until_of"]


def fields_of(visit: Visit, account: Account) -> dict[str, object]:
    """An account as the form has it; of a form that failed, what was typed."""
    form = visit.form
    said = {
        "id": account.id,
        "name": account.name,
        "organisation": account.organisation,
        "nationality": account.nationality,
        "clearance": "\n".join(f"{policy}:{rung}" for policy, rung in account.clearance.items()),
        "categories": "\n".join(f"{tag}={value}" for tag, values in account.categories.items() for value in values),
        "projects": " ".join(account.projects),
        "kinds": " ".join(account.kinds),
        "sponsor": account.sponsor,
        "until": day(account.until - 1) if account.until else "",
    }
    typed = "name" in form
    return {
        "account": account,
        "fields": {name: form.get(name, text) if typed else text for name, text in said.items()},
        "duties": allowed(),
        "held": set(form.all("role") if typed else [role.value for role in account.roles]),
        "policy": visit.node.core.config.policy,
        "ladder": [rung.name for rung in visit.node.core.policies.policy(visit.node.core.config.policy).ladder],
    }


def account_of(visit: Visit, id_: str, *, active: bool) -> Account:
    """The account that the form states.

    Raises:
        InvalidInput, UnknownTerm: a field that cannot be read.
    """
    form, categories = visit.form, dict[str, list[str]]()
    for line in form.lines("categories"):
        tag, equals, value = line.partition("=")
        if not (tag.strip() and equals and value.strip()):
            raise InvalidInput(f"{line[:100]!r} is not TAG=VALUE", fix="Write one a line, as Special access=NAME")
        categories.setdefault(tag.strip(), []).append(value.strip())
    return Account(
        id=id_,
        name=form.get("name").strip(),
        organisation=form.get("organisation").strip(),
        nationality=form.get("nationality").strip().upper(),
        clearance=rungs(visit.node.core.config.policy, tuple(form.lines("clearance"))),
        categories=categories,
        projects=form.words("projects"),
        kinds=form.words("kinds"),
        roles=[_role(text) for text in form.all("role")],
        active=active,
        sponsor=form.get("sponsor").strip(),
        until=until_of(form.get("until")),
    )


def until_of(text: str) -> int:
    """When a last day is over; 0 for none."""
    return midnight(text.strip()) + DAY_MS if text.strip() else 0


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise UnknownTerm(f"no role {text[:50]!r}", fix="Choose among those listed") from None
