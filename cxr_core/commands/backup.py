"""`backup` and `restore`: the workspace as one file, and back."""

import argparse
from pathlib import Path

from cxr_core.commands.parsing import Answer, Command, Parser
from cxr_core.settings import settings
from cxr_core.tasks.backup import Backup, as_json, back_up, restore
from cxr_core.words import counted


def _backup_arguments(parser: Parser) -> None:
    parser.add_argument("--to", required=True, metavar="FILE.tar", help="the file to write")
    parser.add_argument("--replace", action="store_true", help="replace a file that is there")


def _restore_arguments(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE.tar", help="a file that `backup` wrote")
    told = "restore though the workspace holds something; that is kept in a folder replaced-… beside"
    parser.add_argument("--replace", action="store_true", help=told)


def _backup(arguments: argparse.Namespace) -> Answer:
    done = back_up(Path(arguments.to), arguments.replace)
    active = f", {done.active} of them active" if done.active else ""
    text = f"Wrote {_holds(done)}{active} to {done.file}, and read all again: it is whole."
    return Answer(as_json(done), lambda: text)


def _restore(arguments: argparse.Namespace) -> Answer:
    done = restore(Path(arguments.file), arguments.replace)
    ended = f" {counted(done.active, 'run')} had not ended then; resume or start again." if done.active else ""
    text = f"Restored {_holds(done)} to {settings().home}; every file is as it was.{ended}"
    return Answer(as_json(done), lambda: text)


def _holds(done: Backup) -> str:
    return f"{counted(done.files, 'file')} ({done.bytes / 1e6:,.1f} MB) with {counted(done.runs, 'run')}"


BACKUP = Command("backup", "Write sources, runs and their store into one file.", _backup_arguments, _backup)
RESTORE = Command("restore", "Make the workspace what it was in a backup.", _restore_arguments, _restore)
