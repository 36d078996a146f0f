"""The diagnosis of all evaluation runs for the template of the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optbench.inspection.survey import Case, Survey
from optbench.support.text import join_names

MOST_CASES = 12
"""Cases of one illness that are listed; `optbench inspect --in` lists all."""

MOST_BLIND = 6
"""Names of entrants without a record of their layers; more are counted."""


def diagnosis_context(results: Survey, titles: Mapping[str, str]) -> dict[str, Any]:
    """Return the table of illnesses, and the evidence for each of them.

    Args:
        results: Illnesses found in the study.
        titles: Label -> title of the workloads that the page shows.
    """
    return {
        "illnesses": results.illnesses,
        "runs": sum(case.runs for case in results.cases),
        "blind_spot": results.blind_spot,
        "totals": results.totals(),
        "details": [_details(results, illness, titles) for illness in results.illnesses],
        "blind": join_names(results.blind, MOST_BLIND) if results.blind else "",
        "shared": {titles.get(w, w): names for w, names in results.shared.items()},
    }


def _details(results: Survey, illness: str, titles: Mapping[str, str]) -> dict[str, Any]:
    """Return where an illness was found, those with the largest share of runs first."""
    ill = [case for case in results.cases if case.count(illness)]
    ill.sort(key=lambda case: -case.count(illness) / case.seen(illness))
    advice = {f.advice: None for case in ill for _, f in case.findings if f.illness == illness}
    return {
        "illness": illness,
        "advice": list(advice),
        "cases": [_case(case, illness, titles) for case in ill[:MOST_CASES]],
        "more": max(len(ill) - MOST_CASES, 0),
    }


def _case(case: Case, illness: str, titles: Mapping[str, str]) -> dict[str, str]:
    return {
        "label": case.entrant,
        "workload": titles.get(case.workload, case.workload),
        "count": f"{case.count(illness)} of {case.seen(illness)}",
        "evidence": next(f.evidence for _, f in case.findings if f.illness == illness),
    }
