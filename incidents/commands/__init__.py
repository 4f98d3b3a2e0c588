"""Commands: what is typed after a slash in an incident's room, on its page and wherever else people talk."""

from incidents.commands import people, severity_and_status, work, writing
from incidents.commands.completion import complete
from incidents.commands.grammar import is_command
from incidents.commands.registry import Answer, Asking, Command, Parameter, Suggestion, all_commands, command
from incidents.commands.running import run_command

__all__ = [
    "Answer",
    "Asking",
    "Command",
    "Parameter",
    "Suggestion",
    "all_commands",
    "command",
    "complete",
    "is_command",
    "people",
    "run_command",
    "severity_and_status",
    "work",
    "writing",
]
