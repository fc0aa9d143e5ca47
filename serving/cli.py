"""The command line: data on stdout, words and progress on stderr, errors as one clear answer.

Exit status 0 done, 1 refused by data or policy, 2 wrong usage. ``--json`` prints one JSON value,
errors included.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches

import click

from serving.commands.edge import defect, failed
from tidu import __version__
from tidu.errors import TiduError, UsageError

__all__ = ["COMMANDS", "main"]

TRACE = "TIDU_TRACE"
"""Set in the environment, it shows where a defect of ours happened."""

# Command → module below serving.commands; a module is imported only when its command runs.
COMMANDS = {
    "import": "data",
    "withdraw": "data",
    "template": "data",
    "doctor": "data",
    "check": "checking",
    "train": "learning",
    "evaluate": "learning",
    "score": "learning",
    "use": "learning",
    "publish": "publishing",
    "shortlist": "shortlist",
    "explain": "publishing",
    "history": "changes",
    "replay": "replay",
    "compare": "publishing",
    "criteria": "policy",
    "materials": "casework",
    "path": "casework",
    "plan": "plan",
    "policy": "policy",
    "targets": "targets",
    "measures": "targets",
    "serve": "running",
    "demo": "running",
}


class LazyGroup(click.Group):
    """Imports a command's module when the command is asked for: ``tidu --help`` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        if cmd_name not in COMMANDS:
            near = get_close_matches(cmd_name, COMMANDS, n=1)
            meant = "".join(f" Did you mean {name}?" for name in near)
            ctx.fail(f"No such command {cmd_name!r}.{meant}")
        module = importlib.import_module(f"serving.commands.{COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(version)s")
def tidu() -> None:
    """Tidu 梯度: which small and medium enterprises will grow, rise and list, and why.

    State lies under $TIDU_HOME (default: var).
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit status."""
    if arguments is None:
        _data_alone()
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    try:
        code = tidu.main(args=given, prog_name="tidu", standalone_mode=False)
    except click.exceptions.Exit as leaving:
        code = leaving.exit_code
    except click.ClickException as error:
        code = failed(_usage(error), as_json)
    except TiduError as error:
        code = failed(error, as_json)
    except (KeyboardInterrupt, click.Abort):
        failed(TiduError("Interrupted: nothing was left half-done."), as_json)
        code = 130
    except BrokenPipeError:
        # The reader of our output left (| head): that is its right, not an error.
        sys.stderr.close()
        code = 0
    except OSError as error:
        cure = "Check the path, the rights and the room on the disk, then try again."
        code = failed(TiduError(f"The system refused: {error}.", cure), as_json)
    except Exception as error:
        if os.environ.get(TRACE):
            raise
        code = failed(defect(error, TRACE), as_json)
    sys.exit(code if isinstance(code, int) else 0)


def _data_alone() -> None:
    """Leave the standard output to our data: what a library's C code prints goes to stderr.

    HiGHS, for one, says a word there at times, and JSON would no longer be JSON.
    """
    if sys.stdout is None:  # closed by the caller
        return
    sys.stdout.flush()
    ours = os.dup(1)
    os.dup2(2, 1)
    said = sys.stdout
    sys.stdout = os.fdopen(ours, "w", encoding=said.encoding, errors=said.errors)


def _usage(error: click.ClickException) -> UsageError:
    context = getattr(error, "ctx", None)
    return UsageError(
        error.format_message(), f"See {context.command_path} --help." if context else ""
    )
