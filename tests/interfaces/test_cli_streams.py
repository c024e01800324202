"""Streams, exit codes, help, completion: the manners of the command line, as a shell meets them."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import pytest
from cli_nations import Coalition, put_plan
from click.testing import CliRunner, Result

from aldis.interfaces.cli import exits
from aldis.interfaces.cli.exits import EXITS, failure
from aldis.interfaces.cli.main import TABLE, cli
from aldis.kernel import errors


def shell(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The real command in a process of its own."""
    env = {**{k: v for k, v in os.environ.items() if not k.startswith("ALDIS_")}, **environment}
    return subprocess.run(
        [sys.executable, "-m", "aldis", *args], capture_output=True, text=True, timeout=60, check=False, env=env
    )


def typed(*args: str, **environment: str) -> Result:
    """The same in this process, which is quicker."""
    return CliRunner(env={"ALDIS_HOME": None, **environment}).invoke(cli, args)


def test_data_goes_to_stdout_and_talk_to_stderr(coalition: Coalition) -> None:
    put_plan(coalition.aus)
    said = shell("list", ALDIS_HOME="aus")
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.split("\t")[:4] == ["plan", "1", "document", "NORTHERN-WATCH"]
    none = typed("get", "nothing", ALDIS_HOME="aus")
    assert (none.exit_code, none.stdout) == (2, "")
    assert none.stderr == ("Error: no record 'nothing' here\nDo:    `aldis list` and `aldis search` find what is\n")


def test_each_exit_code_is_met(coalition: Coalition) -> None:
    put_plan(coalition.aus)
    coalition.aus.run("put", "--kind", "document", "--id", "own", "--marking", "SECRET//AGAO", "--portion", "title=T")
    file = coalition.aus.ask("bundle", "export", "gbr", "-o", "out")["files"][0]
    Path("wall").write_text("a file where a folder should be")
    for code, words in {
        0: ("get", "plan"),
        1: ("bundle", "show", "nowhere.bundle"),
        2: ("get", "nothing"),
        3: ("get", "own", "--as", "gbr"),
        4: ("bundle", "import", file),
        5: ("bundle", "export", "gbr", "-o", "wall/inside"),
    }.items():
        said = typed(*words, ALDIS_HOME="aus")
        assert said.exit_code == code, said.output
        assert "Traceback" not in said.stderr
        if code:
            assert said.stderr.startswith("Error: ") and "\nDo:    " in said.stderr


@pytest.mark.parametrize("kind", [getattr(errors, name) for name in errors.__all__])
def test_every_error_has_a_code_a_message_and_a_next_step(kind: type[errors.AldisError]) -> None:
    told = failure(kind("something is wrong"))
    assert told is not None
    assert told.message == "something is wrong" and told.fix and told.exit in EXITS
    given = failure(kind("something is wrong", fix="Mend it"))
    assert given is not None and given.fix == "Mend it"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.NeedsPerson("x"), exits.REFUSED),
        (errors.Forked("x"), exits.UNVERIFIED),
        (errors.TooLarge("x"), exits.USAGE),
        (errors.Unavailable("x"), exits.UNREACHABLE),
        (OSError(28, "No space left on device", "store.db"), exits.FAILED),
        (KeyboardInterrupt(), exits.INTERRUPTED),
        (click.UsageError("x"), exits.USAGE),
    ],
)
def test_errors_are_sorted_into_exit_codes_by_who_can_act(error: BaseException, code: int) -> None:
    told = failure(error)
    assert told is not None and told.exit == code and told.fix


def test_a_fault_of_the_program_is_shown_whole() -> None:
    assert failure(ZeroDivisionError()) is None


@pytest.mark.parametrize(
    "words", [("--json", "get", "nothing"), ("get", "--json", "nothing"), ("get", "nothing", "--json")]
)
def test_json_is_understood_before_and_after_the_command(coalition: Coalition, words: tuple[str, ...]) -> None:
    said = typed(*words, ALDIS_HOME="aus")
    told = json.loads(said.stderr)["error"]
    assert (said.stdout, told["code"], told["exit"]) == ("", "unknown-term", 2)


def test_home_is_understood_before_and_after_the_command_and_carried_into_hints(coalition: Coalition) -> None:
    for words in (("--home", "aus", "get", "nothing"), ("get", "nothing", "--home", "aus")):
        said = typed(*words)
        assert "`aldis --home aus list`" in said.stderr
    assert "`aldis list`" in typed("get", "nothing", ALDIS_HOME="aus").stderr


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("lst",), "Did you mean 'list'?"),
        (("instrument", "drft", "x"), "Did you mean 'draft'?"),
        (("list", "--limt", "3"), "Did you mean '--limit'?"),
        (("put",), "name a FILE"),
        (("put", "--revise", "x"), "name a FILE"),
        (("put", "a.toml", "--kind", "document"), "leave those options out"),
        (("offer", "plan"), "Missing argument 'NODE'"),
        (("ledger", "prove", "-1"), "`aldis ledger prove --help`"),
        (("list", "--limit", "1000"), "1<=x<=200"),
    ],
)
def test_a_slip_of_the_fingers_is_met_with_a_hint(words: tuple[str, ...], hint: str, tmp_path: Path) -> None:
    result = CliRunner(env={"ALDIS_HOME": str(tmp_path)}).invoke(cli, words)
    assert result.exit_code == 2
    assert hint in result.stderr


def test_a_missing_node_names_the_command_that_makes_one(tmp_path: Path) -> None:
    said = typed("list", ALDIS_HOME=str(tmp_path / "none"))
    assert said.exit_code == 2
    assert "no node at" in said.stderr and "Make one with `aldis init`" in said.stderr


def test_an_unknown_setting_in_the_environment_is_refused(coalition: Coalition) -> None:
    said = typed("list", ALDIS_HOME="aus", ALDIS_BACTH="3")
    assert said.exit_code == 2 and "Did you mean 'batch'?" in said.stderr
    assert typed("config", "batch", ALDIS_HOME="aus", ALDIS_BATCH="3").stdout == "3\n"


def test_a_reader_that_stops_reading_is_no_error(coalition: Coalition) -> None:
    put_plan(coalition.aus)
    command = f"{sys.executable} -m aldis list --all | head -n 1"
    said = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False,
                          env={**os.environ, "ALDIS_HOME": "aus"})  # fmt: skip
    assert said.stdout.count("\n") == 1 and "Traceback" not in said.stderr and "Broken" not in said.stderr


def test_help_lists_every_command_and_imports_none_of_them() -> None:
    code = (
        "import sys; from aldis.interfaces.cli.main import cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted(m for m in sys.modules if m.split('.')[0] in ('rich', 'numpy', 'apsw', 'structlog', 'httpx2')"
        " or m.startswith(('aldis.node.', 'aldis.apps')) and m != 'aldis.node.amounts'), file=sys.stderr)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert said.stderr.strip() == "[]"
    for name, entry in TABLE.items():
        assert f"  {name} " in said.stdout and entry.summary.split()[0] in said.stdout


def test_version_is_told() -> None:
    assert typed("--version").stdout.startswith("aldis 0.")
    assert "Begin:" in typed().stderr


@pytest.mark.parametrize("shell_name", ["bash", "zsh", "fish"])
def test_a_completion_script_is_printed_for_each_shell(shell_name: str) -> None:
    said = CliRunner().invoke(cli, ["completion", shell_name])
    assert said.exit_code == 0 and "_ALDIS_COMPLETE" in said.stdout and "aldis" in said.stdout
    assert CliRunner().invoke(cli, ["completion", "tcsh"]).exit_code == 2


def test_completion_completes_commands_and_options() -> None:
    def asked(words: str) -> dict[str, str]:
        return {
            "_ALDIS_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1),
        }  # fmt: skip

    def completed(words: str) -> list[str]:
        said = CliRunner(env=asked(words)).invoke(cli, prog_name="aldis").stdout
        return [line.split(",")[1] for line in said.splitlines()]

    assert shell(**asked("aldis in")).stdout.splitlines() == [
        f"plain,{name}" for name in ("init", "invite", "instrument", "inquiry")
    ]
    assert "--cursor" in completed("aldis list --c")
    assert "prove" in completed("aldis ledger p")


def test_up_says_where_it_listens_and_stops_cleanly(coalition: Coalition) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "aldis", "up", "--listen", f"127.0.0.1:{port}"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "ALDIS_HOME": "aus"},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == f"127.0.0.1:{port}\n"
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, talk = process.communicate(timeout=20)
    assert process.returncode == 0
    up, *_, stopped = [json.loads(line) for line in talk.splitlines()]
    assert (up["event"], up["node"], up["partners"]) == ("node is up", "aus", ["gbr", "usa"])
    assert up["address"] == f"127.0.0.1:{port}"
    assert stopped["event"] == "node has stopped"


def test_up_tells_the_service_manager_and_a_second_signal_ends_it_at_once(coalition: Coalition) -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"{folder}/notify")
        manager.settimeout(20)
        env = {**os.environ, "ALDIS_HOME": "aus", "NOTIFY_SOCKET": f"{folder}/notify", "WATCHDOG_USEC": "200000"}
        process = subprocess.Popen(
            [sys.executable, "-m", "aldis", "up", "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env,
        )  # fmt: skip
        heard: set[bytes] = set()
        while not any(one.startswith(b"READY=1\nSTATUS=listening on 127.0.0.1:") for one in heard):
            heard.add(manager.recv(1000))
        while b"WATCHDOG=1" not in heard:
            heard.add(manager.recv(1000))
        process.send_signal(signal.SIGTERM)
        while b"STOPPING=1" not in heard:
            heard.add(manager.recv(1000))
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert process.returncode in (0, 130)
    assert coalition.aus.ask("ledger", "verify")["leaves"]


def test_up_talks_to_a_terminal_in_words_unless_json_is_asked_for(coalition: Coalition) -> None:
    for more in ((), ("--json",)):
        master, slave = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "aldis", "up", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", *more],
            stdout=subprocess.PIPE, stderr=slave, text=True, env={**os.environ, "ALDIS_HOME": "aus"},
        )  # fmt: skip
        os.close(slave)
        assert process.stdout is not None
        assert any("127.0.0.1:" in line for line in iter(process.stdout.readline, ""))
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert process.returncode == 0
        talk = os.read(master, 100_000).decode()
        os.close(master)
        assert ("aus is up, for gbr, usa. Ctrl-C stops it." in talk) is not bool(more)
        assert ('"event": "node is up"' in talk) is bool(more)
        assert ("This link makes the first administrator" in talk and "/sign-in/first#" in talk) is not bool(more)
        assert "#" not in "".join(line for line in talk.splitlines() if line.startswith("{"))


def test_a_link_without_pages_leads_nowhere(coalition: Coalition) -> None:
    assert "--http" in coalition.aus.fails(2, "up", "--link")


def test_no_reason_is_no_reason(coalition: Coalition) -> None:
    aus, gbr = coalition.aus, coalition.gbr
    for words in (
        ("hold", "plan"), ("lift", "plan"), ("quarantine", "drop", "1"), ("partner", "suspend", "gbr"),
        ("partner", "resume", "gbr"), ("partner", "depart", "gbr"), ("partner", "distrust", "gbr", "--after", "3"),
        ("partner", "accept-ledger", "gbr", "--yes"), ("person", "suspend", "alice"), ("person", "resume", "alice"),
    ):  # fmt: skip
        for blank in ("", "  ", "\t\n", "\u00a0"):
            assert "the reason is blank: say why" in aus.fails(2, *words, "--because", blank)
        assert "Missing option '--because'" in aus.fails(2, *words)
    assert {one["status"] for one in aus.ask("partner", "list")["partners"]} == {"active"}
    assert "--because" in gbr.run("desk", "approve", "1", "--because", " ", code=2).stderr


def test_an_address_in_use_says_so(coalition: Coalition) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said = shell("up", "--listen", f"127.0.0.1:{taken.getsockname()[1]}", ALDIS_HOME="aus")
    assert said.returncode != 0 and "Traceback" not in said.stderr
    assert "Do:    " in said.stderr
