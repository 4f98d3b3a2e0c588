"""Running a command: the words that were typed become arguments, and one action is called."""

from datetime import datetime
from typing import Any

from accounts.actor import Actor
from events.errors import Conflict, Invalid, require
from incidents.actions import NEEDS_CONFIRMATION
from incidents.commands.arguments import CONFIRM
from incidents.commands.grammar import Line, Token, parse, unknown
from incidents.commands.registry import Answer, Asking, Command, all_commands, command_called
from incidents.models import Incident
from incidents.permissions import can_respond


def run_command(*, actor: Actor, incident: Incident, text: str, now: datetime) -> Answer:
    """Does what a command says and returns what to tell whoever typed it.

    Raises Invalid, with the command's usage as the remedy, for what it does not take, and whatever its action raises.
    """
    line = parse(text)
    command = command_called(line.name)
    if command is None:
        error = unknown("command", f"/{line.name}", [f"/{each.name}" for each in all_commands()])
        remedy = error.remedy if error.remedy.startswith("Did") else "/help lists all commands."
        raise Invalid(error.message, field="text", remedy=remedy)
    asking = Asking(actor=actor, incident=incident, now=now)
    if not command.is_for_readers:
        require(can_respond(actor, incident), "Viewers may not change incidents.")
    arguments = arguments_of(command, line, asking)
    try:
        return command.run(asking, **arguments) or Answer()
    except Conflict as refused:
        if refused.code != NEEDS_CONFIRMATION or CONFIRM not in [each.kind for each in command.parameters]:
            raise
        remedy = f"If that is meant, write it again with {CONFIRM.name} at the end."
        raise Conflict(
            refused.message, code=refused.code, field=refused.field, remedy=remedy, details=refused.details
        ) from refused


def arguments_of(command: Command, line: Line, asking: Asking) -> dict[str, Any]:
    """The arguments by the names of their parameters; those that are optional and were not given are None.

    A flag is true if it was given.
    """
    tokens, end = list(line.tokens), len(line.text)
    arguments: dict[str, Any] = {}
    for flag in (each for each in command.parameters if each.kind.is_flag):
        is_given = bool(tokens) and (tokens[-1].kind, tokens[-1].text.lower()) == ("word", flag.kind.name)
        arguments[flag.name] = is_given
        if is_given:
            end = tokens.pop().start
    person = next((each for each in command.parameters if each.kind.is_person), None)
    has_rest = any(each.kind.takes_rest for each in command.parameters)
    if person is not None:
        at = _place_of_person(tokens, is_at_the_ends=has_rest)
        if at is not None:
            token = tokens.pop(at)
            arguments[person.name] = person.kind.read(asking, token)
            if at and at == len(tokens):
                end = token.start
    for parameter in command.parameters:
        if parameter.name in arguments:
            continue
        if tokens and parameter.kind.takes_rest:
            start = tokens[0].start
            rest = Token("word", _unquoted(line.text[start:end].strip()), start, end)
            arguments[parameter.name] = parameter.kind.read(asking, rest)
            tokens.clear()
        elif tokens and not (parameter is person and parameter.is_optional and tokens[0].text.lower() != "me"):
            arguments[parameter.name] = parameter.kind.read(asking, tokens.pop(0))
        elif parameter.is_optional:
            arguments[parameter.name] = None
        else:
            raise Invalid(f"/{command.name} needs: {parameter.words}.", field="text", remedy=_usage(command))
    if tokens:
        raise Invalid(f"/{command.name} does not take “{tokens[0].text}”.", field="text", remedy=_usage(command))
    return arguments


def _place_of_person(tokens: list[Token], *, is_at_the_ends: bool) -> int | None:
    """Where a person is named: anywhere, or at the start or the end of what otherwise is text."""
    places = [place for place, token in enumerate(tokens) if token.kind == "person"]
    if not is_at_the_ends:
        return places[0] if places else None
    return next((place for place in places if place in {0, len(tokens) - 1}), None)


def _unquoted(text: str) -> str:
    is_quoted = len(text) > 1 and text[0] == text[-1] == '"' and text.count('"') == 2
    return text[1:-1].strip() if is_quoted else text


def _usage(command: Command) -> str:
    return f"Usage: {command.usage}" + (f", such as {command.example}" if command.example else "")
