"""The command `vla-ros words`: what may be said, and what a sentence is understood as. It needs no graph."""

from __future__ import annotations

import argparse

from vla_ros.lab.json_output import add_json_option, write_json

TEXT = "list the words of instructions, or tell what a sentence is understood as"
REFUSED = 1


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument("--language", default="en", help="file in config/words/, or a path (default: en)")
    parser.add_argument("text", nargs="?", help="a sentence to read; nothing moves")
    add_json_option(parser, "the words, or what is understood,")


def run(chosen: argparse.Namespace) -> int:
    """Print it; return the exit code: 1 for a sentence that is refused."""
    from vla_ros.language.grammar import load_grammar

    if chosen.text is None:
        grammar = load_grammar(chosen.language)
        write_json(chosen.json, grammar.for_people())
        for title, names in grammar.for_people().items():
            print(f"{title}:")
            for name, words in names.items():
                print(f"  {name}: {words}")
        return 0
    from vla_ros.language.reader import InstructionReader
    from vla_ros.language.telling import told

    found = InstructionReader([load_grammar(chosen.language)]).read(chosen.text)
    understood = told(found.steps, found.language) if found.steps and not found.refusal else ""
    write_json(chosen.json, {"refused": found.refusal, "understood": understood})
    if found.refusal:
        print(found.refusal)
        return REFUSED
    print(understood or "a question: it is answered, and nothing moves")
    return 0
