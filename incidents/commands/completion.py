"""What can come next while somebody types: commands, then the values of their arguments, people after an @."""

import re
from dataclasses import dataclass
from datetime import datetime

from accounts.actor import Actor
from incidents.commands.arguments import suggest_people
from incidents.commands.grammar import TOKEN
from incidents.commands.registry import Asking, Suggestion, all_commands, command_called
from incidents.models import Incident

NAME = re.compile(r"\s*/([\w-]*)$")
BEGUN = re.compile(r"\s*/([A-Za-z][\w-]*)\s")
MENTION_BEGUN = re.compile(r"(?<![\w@./])@([\w][\w.+@-]*|)$")


@dataclass(frozen=True)
class Completion:
    """What can stand from the place `start` of the text on, and how the command goes that is being typed."""

    start: int
    suggestions: tuple[Suggestion, ...] = ()
    usage: str = ""
    help: str = ""


def complete(*, actor: Actor, incident: Incident, text: str, now: datetime) -> Completion:
    """What can come next at the end of the text; nothing is changed by asking."""
    asking = Asking(actor=actor, incident=incident, now=now)
    naming = NAME.match(text)
    if naming is not None:
        typed = naming[1].lower()
        fitting = [each for each in all_commands() if typed in each.name]
        fitting.sort(key=lambda each: not each.name.startswith(typed))
        found = tuple(Suggestion(f"/{each.name}", each.usage, str(each.help)) for each in fitting)
        return Completion(text.index("/"), found)
    begun = BEGUN.match(text)
    command = command_called(begun[1].lower()) if begun else None
    if begun is None or command is None:
        return _people(asking, text)
    usage, about = command.usage, str(command.help)
    tokens = list(TOKEN.finditer(text, begun.end()))
    is_between = not tokens or tokens[-1].end() < len(text)
    typed, start = ("", len(text)) if is_between else (tokens[-1].group(), tokens[-1].start())
    if typed.startswith("@"):
        people = tuple(suggest_people(asking, typed))
        return Completion(start, people, usage, about)
    before = [token.group() for token in (tokens if is_between else tokens[:-1])]
    place = len([word for word in before if not word.startswith("@")])
    named_people = len(before) - place
    parameters = [each for each in command.parameters if not (named_people and each.kind.is_person)]
    for index, parameter in enumerate(parameters):
        is_here = index == place or (parameter.kind.takes_rest and place >= index)
        if is_here:
            if parameter.kind.takes_rest and place > index:
                start, typed = tokens[index].start(), text[tokens[index].start() :]
            return Completion(start, tuple(parameter.kind.suggest(asking, typed.strip('"'))), usage, about)
    return Completion(len(text), (), usage, about)


def _people(asking: Asking, text: str) -> Completion:
    mention = MENTION_BEGUN.search(text)
    if mention is None:
        return Completion(len(text))
    return Completion(mention.start(), tuple(suggest_people(asking, mention[1])))
