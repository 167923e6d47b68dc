"""`gene-bench completion SHELL`: a script that completes commands, options and names, made from the parser itself."""

import argparse
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gene_eval.catalogue.listing import model_facts, task_facts
from gene_eval.catalogue.suites import SIGN, suites
from gene_eval.cli.output import DONE

__all__ = ["SHELLS", "completion"]

# What kind of value an option takes, by its name in the parser.
TASKS, MODELS = ("tasks", "patterns"), ("models", "model", "diseases", "terms")


@dataclass(frozen=True)
class _Command:
    """A command as a shell needs it: options with the values they take (None for a flag), and words that may follow."""

    help: str
    options: Mapping[str, Sequence[str] | None] = field(default_factory=dict)
    words: Sequence[str] = ()


def completion(arguments: argparse.Namespace) -> int:
    """Print the script for one shell."""
    print("\n".join(SHELLS[arguments.shell](_commands(arguments.parser))))
    return DONE


def _commands(parser: argparse.ArgumentParser) -> dict[str, _Command]:
    names = {**dict.fromkeys(TASKS, _task_names()), **dict.fromkeys(MODELS, [each["name"] for each in model_facts()])}
    found = _subparsers(parser)
    helps = {choice.dest: choice.help or "" for choice in found._choices_actions}
    return {name: _command(each, helps.get(name, ""), names) for name, each in found.choices.items()}


def _subparsers(parser: argparse.ArgumentParser) -> "argparse._SubParsersAction[argparse.ArgumentParser]":
    return next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))


def _command(parser: argparse.ArgumentParser, text: str, names: Mapping[str, Sequence[str]]) -> _Command:
    options: dict[str, Sequence[str] | None] = {}
    words: list[str] = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            words += action.choices
            # A command with commands of its own (push): what all of them take.
            for below in action.choices.values():
                options |= _command(below, "", names).options
            continue
        values = [str(choice) for choice in action.choices or names.get(action.dest, ())]
        for option in action.option_strings:
            options[option] = None if action.nargs == 0 else values
        if not action.option_strings:
            words += values
    return _Command(text, options, words)


def _task_names() -> list[str]:
    return [*(SIGN + name for name in suites()), *(each["name"] for each in task_facts())]


def _bash(commands: Mapping[str, _Command]) -> Iterator[str]:
    yield "# source <(gene-bench completion bash), or put it into ~/.local/share/bash-completion/completions/gene-bench"
    # Else bash would end a word at the sign of a suite.
    yield "COMP_WORDBREAKS=${COMP_WORDBREAKS//@}"
    yield "_gene_bench() {"
    yield '  local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" words='
    yield f'  if (( COMP_CWORD == 1 )); then words="{_words(commands)}"; else'
    yield '  case "${COMP_WORDS[1]} $before" in'
    yield from (f'    {pattern}) words="{_words(values)}" ;;' for pattern, values in _valued(commands))
    yield "    *)"
    yield '      case "${COMP_WORDS[1]} $word" in'
    for name, command in commands.items():
        yield f'        "{name} "-*) words="{_words(command.options)}" ;;'
        yield f'        "{name} "*) words="{_words(command.words)}" ;;'
    yield "      esac ;;"
    yield "  esac; fi"
    yield '  COMPREPLY=($(compgen -W "$words" -- "$word"))'
    yield "}"
    # Where no word fits, files are completed.
    yield "complete -o default -F _gene_bench gene-bench"


def _valued(commands: Mapping[str, _Command]) -> Iterator[tuple[str, Sequence[str]]]:
    """Patterns `"command option"` and the values that may follow; those without any are left to files."""
    for name, command in commands.items():
        for option, values in command.options.items():
            if values is not None:
                yield f'"{name} {option}"', values


def _zsh(commands: Mapping[str, _Command]) -> Iterator[str]:
    yield "#compdef gene-bench"
    yield "# source <(gene-bench completion zsh), or save it as _gene-bench in a folder of $fpath"
    yield "_gene_bench() {"
    yield "  if (( CURRENT == 2 )); then"
    yield "    local -a known=("
    yield from (f"      {shlex.quote(f'{name}:{command.help}')}" for name, command in commands.items())
    yield "    )"
    yield "    _describe command known; return"
    yield "  fi"
    yield '  case "$words[2] $words[CURRENT-1]" in'
    for pattern, values in _valued(commands):
        yield f"    {pattern}) {f'compadd -- {_words(values)}' if values else '_files'}; return ;;"
    yield "  esac"
    yield '  case "$words[2] $words[CURRENT]" in'
    for name, command in commands.items():
        yield f'    "{name} "-*) compadd -- {_words(command.options)} ;;'
        yield f'    "{name} "*) {f"compadd -- {_words(command.words)}; " if command.words else ""}_files ;;'
    yield "  esac"
    yield "}"
    yield "compdef _gene_bench gene-bench"


def _fish(commands: Mapping[str, _Command]) -> Iterator[str]:
    yield "# gene-bench completion fish > ~/.config/fish/completions/gene-bench.fish"
    for name, command in commands.items():
        yield f"complete -c gene-bench -f -n __fish_use_subcommand -a {name} -d {shlex.quote(command.help)}"
    for name, command in commands.items():
        start = f"complete -c gene-bench -n '__fish_seen_subcommand_from {name}'"
        if command.words:
            yield f"{start} -a {shlex.quote(_words(command.words))}"
        for option, values in command.options.items():
            form = f"-l {option[2:]}" if option.startswith("--") else f"-s {option[1:]}"
            takes = "" if values is None else f" -x -a {shlex.quote(_words(values))}" if values else " -r"
            yield f"{start} {form}{takes}"


def _words(words: Iterable[str]) -> str:
    return " ".join(words)


SHELLS = {"bash": _bash, "zsh": _zsh, "fish": _fish}
