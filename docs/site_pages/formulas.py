"""Formulas of docstrings, such as ``m <- beta1 m + (1 - beta1) grad``, set in LaTeX.

The notation: ``<-`` assigns, a blank multiplies, ``x'`` is a transpose, ``x_hat`` has a hat, names
of Greek letters stand for the letters, and ``|x|`` is a norm. Clauses are separated by a comma,
semicolon or full stop that is followed by two blanks or a new line; what is not a formula stays
text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

GREEK = {"theta", "beta", "rho", "mu", "gamma"}
SYMBOLS = {"lr": r"\eta", "grad": "g", "eps": r"\varepsilon", "weight_decay": r"\lambda"}
NAMED = GREEK | SYMBOLS.keys()
"""Names of several letters that stand for one symbol."""
FUNCTIONS = {"sqrt", "max", "sign", "clip", "NS"}
INDICES = {"inf": r"\infty", "max": r"\max", "in": r"\mathrm{in}", "out": r"\mathrm{out}"}
MOST_WORDS = 2
"""Names in a formula that are not symbols; more of them make a sentence."""
_TOKEN = re.compile(
    r"\s*(<-|\.\.\.|[A-Za-z]+\d*(?:_[A-Za-z\d]+)*_?\(?|\d+(?:\.\d+)?|[-+*/^=:,()|<>']|_\w)"
)
_CLAUSE = re.compile(r"(?<=[^\s.])(?:([,;.])(?:  +|\n|$)|(\.) (?=[A-Z]))")
_WORDS = re.compile(r"[A-Za-z`][\w`,'-]*( [\w`,'-]+)*")
_REMARK = re.compile(r"(.*\S)\s+(\([a-z]+(?: [a-z]+)+\))")


class Clause(NamedTuple):
    """Part of a paragraph: LaTeX if it could be read as a formula, otherwise the words."""

    text: str
    is_formula: bool
    end: str


def clauses(paragraph: str) -> Iterator[Clause]:
    """Split a paragraph into formulas and words."""
    position = 0
    for match in [*_CLAUSE.finditer(paragraph), None]:
        part = paragraph[position : match.start() if match else None].strip()
        end = (match.group(1) or match.group(2)) if match else ""
        position = match.end() if match else len(paragraph)
        if not part:
            continue
        yield from _clause(" ".join(part.split()), end)


def _clause(part: str, end: str) -> Iterator[Clause]:
    head, colon, rest = part.partition(": ")
    if colon and _WORDS.fullmatch(head.strip()) and " " in head.strip():
        yield Clause(head + ":", False, "")
        part = rest.strip()
    remark = _REMARK.fullmatch(part)
    formula, rest = remark.groups() if remark else (part, "")
    try:
        yield Clause(latex(formula), True, "" if rest else end)
    except ValueError:
        yield Clause(part, False, end)
    else:
        if rest:
            yield Clause(rest, False, end)


def latex(formula: str) -> str:
    """Return one formula in LaTeX.

    Raises:
        ValueError: The text is not a formula.

    Example:
        >>> latex("theta <- theta - lr * m_hat")
        '\\\\theta \\\\leftarrow \\\\theta - \\\\eta\\\\, \\\\hat{m}'
    """
    parser = _Parser(_tokens(formula))
    text = parser.relation()
    if parser.token or not parser.relations or parser.words > MOST_WORDS:
        raise ValueError(f"no formula: {formula!r}")
    return text


def _tokens(formula: str) -> list[str]:
    tokens, position = [], 0
    formula = formula.rstrip()
    while position < len(formula):
        match = _TOKEN.match(formula, position)
        if match is None:
            raise ValueError(f"no formula: {formula!r}")
        tokens.append(match.group(1))
        position = match.end()
    return tokens


class _Parser:
    """A recursive-descent parser that returns LaTeX."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.relations = 0
        self.words = 0
        self.gradient = r"\nabla" if {"g"} & set(tokens) and "grad" in tokens else "g"

    @property
    def token(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def take(self, expected: str = "") -> str:
        if not self.tokens or (expected and self.token != expected):
            raise ValueError(f"expected {expected or 'more'}, found {self.token!r}")
        return self.tokens.pop(0)

    def relation(self) -> str:
        parts = [self.sequence()]
        while self.token in ("<-", "=", ">", ":"):
            sign = self.take()
            self.relations += 1
            parts += [{"<-": r"\leftarrow", ":": r"\colon\;"}.get(sign, sign), self.sequence()]
        return " ".join(parts)

    def sequence(self) -> str:
        """Several expressions with commas between them, such as names before an equals sign."""
        parts = [self.sum()]
        while self.token == ",":
            self.take()
            parts.append(self.sum())
        return r",\; ".join(parts)

    def sum(self) -> str:
        sign = self.take() if self.token == "-" else ""
        parts = [sign + self.product()]
        while self.token in ("+", "-"):
            parts += [self.take(), self.product()]
        return " ".join(parts)

    def product(self) -> str:
        done: list[str] = []
        numerator = [self.power()]
        while True:
            if self.token == "/":
                self.take()
                top = r"\, ".join(numerator)
                done.append(rf"\frac{{{_bare(top)}}}{{{_bare(self.power())}}}")
                numerator = []
            elif self.token == "*":
                self.take()
                numerator.append(self.power())
            elif self._begins_factor():
                numerator.append(self.power())
            else:
                return r"\, ".join(done + numerator)

    def _begins_factor(self) -> bool:
        if self.token == "|":
            return False
        return self.token in {"...", "("} or self.token[:1].isalnum()

    def power(self) -> str:
        base = self.atom()
        while self.token in ("^", "'"):
            if self.take() == "'":
                base = rf"{base}^\top"
            else:
                base = rf"{base}^{{{_bare(self.atom(signed=True))}}}"
        return base

    def atom(self, signed: bool = False) -> str:
        token = self.take()
        if token == "-" and signed:
            return "-" + self.atom()
        if token == "(":
            inner = self.sequence()
            self.take(")")
            return rf"\left({inner}\right)"
        if token == "|":
            inner = self.sum()
            self.take("|")
            norm = rf"\lVert {inner} \rVert"
            if self.token[:1] == "_":
                norm += f"_{self.take()[1:]}"
            return norm
        if token == "<":
            inner = self.sequence()
            self.take(">")
            return rf"\langle {inner} \rangle"
        if token == "...":
            return r"\cdots"
        if token.endswith("("):
            self.tokens.insert(0, "(")
            return self.call(token[:-1])
        if token[0].isdigit():
            return token
        if token[0].isalpha():
            return self.name(token)
        raise ValueError(f"no formula at {token!r}")

    def call(self, name: str) -> str:
        """A function with its arguments, or an index in brackets."""
        argument = self.atom()
        if name == "sqrt":
            return rf"\sqrt{{{_bare(argument)}}}"
        if name.endswith("_"):
            return f"{self.name(name[:-1])}_{{{_bare(argument)}}}"
        if name in FUNCTIONS:
            return (r"\max" if name == "max" else rf"\operatorname{{{name}}}") + argument
        return self.name(name) + argument

    def name(self, text: str) -> str:
        """A symbol, or a word."""
        if text == "grad":
            return self.gradient
        self.words += text.isalpha() and len(text) > 1 and text not in NAMED
        return symbol(text)


def _bare(text: str) -> str:
    """Return what stands in brackets, if they enclose all of the text."""
    if not (text.startswith(r"\left(") and text.endswith(r"\right)")):
        return text
    depth = 0
    for match in re.finditer(r"\\left\(|\\right\)", text):
        depth += 1 if match.group() == r"\left(" else -1
        if depth == 0:
            inner = text[len(r"\left(") : -len(r"\right)")]
            return inner if match.end() == len(text) else text
    return text


def symbol(name: str) -> str:
    """Return the LaTeX of a name, such as ``beta1``, ``v_hat`` or ``Q_L``."""
    if name in SYMBOLS:
        return SYMBOLS[name]
    if name.endswith("_hat"):
        return rf"\hat{{{symbol(name[:-4])}}}"
    base, _, index = name.partition("_")
    digits = re.fullmatch(r"([A-Za-z]+)(\d+)", base)
    if digits and not index:
        base, index = digits.groups()
    if base not in NAMED and len(base) > 1:
        return rf"\text{{{name.replace('_', ' ')}}}"
    letter = SYMBOLS.get(base, f"\\{base}" if base in GREEK else base)
    if not index:
        return letter
    word = index if len(index) == 1 else rf"\mathrm{{{index}}}"
    return f"{letter}_{{{INDICES.get(index, word)}}}"
