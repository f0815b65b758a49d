"""The HTML report: self-contained, deaf to hostile names, whole without its script, bounded for a big fleet."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings

from tenure.model.findings import AuditResult, FleetFigures
from tenure.reports.html import REPORT, HtmlReport
from tests.reports.chromium import page
from tests.reports.results import AS_OF, HOSTILE, big, finding, hostile, results, sample

VOID = {"meta", "link", "input", "br", "img", "hr"}
ALLOWED = {
    "html", "head", "meta", "title", "style", "script", "body", "header", "nav", "main", "footer", "section",
    "h1", "h2", "h3", "p", "strong", "ul", "li", "dl", "dt", "dd", "div", "span", "bdi", "br", "a", "details", "summary",
    "table", "caption", "thead", "tbody", "tr", "th", "td", "figure", "figcaption", "svg", "text", "rect", "line",
    "form", "label", "input", "fieldset", "legend", "select", "option", "button", "output",
}  # fmt: skip


class Outline(HTMLParser):
    """What a page is made of: elements with attributes, text, and whether every element is closed in order."""

    def __init__(self, page_text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(page_text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def _harmless(outline: Outline) -> None:
    """Only the page's own elements, no handlers, no addresses but places in the page itself."""
    for tag, attributes in outline.elements:
        assert tag in ALLOWED
        assert not any(name.startswith("on") or name in ("src", "style", "srcdoc", "action", "xlink:href") for name in attributes)
        assert (attributes.get("href") or "#").startswith("#")
    assert len(outline.of("script")) == len(outline.of("style")) == len(outline.of("body")) == 1


def test_it_shows_the_findings_and_what_they_rest_on() -> None:
    outline = Outline(REPORT.render(sample()))
    _harmless(outline)
    for told in (
        "Audit of machine identities As of 2026-11-01 00:00 UTC. All times are UTC.",
        "7 findings over 300 devices: 5 critical, 1 high and 1 low. The oldest grave one began on 2026-03-02.",
        "Incomplete. A source was cut short",
        "rules assessed 4 of 7",
        "device meter-0001, certificate CN=meter-0001 since 2026-03-02 10:00",
        "left service 2026-03-02; state retired",
        "left service 2026-03-02 00:00 UTC",
        "Next step: Revoke it at its issuer",
        "whoever holds the key is still let in",
        "NIST SP 800-57 Part 1 Rev. 5, 5.3.4",
        "Controls: nist-csf-2.0 PR.AA-01; owasp-nhi-2025 NHI1",
        "meter-0021 keys/b.pem none",
        "Hidden device hidden-device not assessed needs a log of sessions",
        "Decisions suppress 2 findings: retired-device-still-trusted 2.",
        "No coverage is declared for site varna",
        "broker-eu all sites 2026-05-01 00:00 2026-10-31 00:00 no",
        "logs/broker.log cut short mosquitto-log 123,456",
        "notes.docx nothing no source knows it",
        "unknown status word 'Sleeping' 2 cmdb.csv line 17",
        "PR.AA-01 7",
        "391 usable certificates from 3 issuers; CN=Fleet Issuing CA 2,O=Example signed 77%.",
        "1 domain of 2 has members at level 0: plant.",
    ):
        assert told in outline.text, told


def test_an_empty_audit_says_so() -> None:
    text = Outline(REPORT.render(AuditResult(AS_OF, (), (), (), (), ()))).text
    for told in (
        "0 findings over 0 devices.",
        "No findings by the 0 rules",
        "Every rule was assessed.",
        "No log of sessions was collected",
    ):
        assert told in text
    assert "Incomplete" not in text


def test_the_policy_allows_the_pages_own_style_and_script_and_nothing_else() -> None:
    text = REPORT.render(sample())
    policy = next(m["content"] or "" for m in Outline(text).of("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        (body,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_suppressed_findings_are_folded_away_with_their_decision() -> None:
    text = REPORT.render(sample())
    folded = text[text.index("<details><summary>What is suppressed, why and until when") :].partition("</details>")[0]
    for told in ("device spare-901", "retired-device-still-trusted", "2027-01-31", "Operations", "in the lab&#39;s vault"):
        assert told in folded, told
    assert "What is suppressed" not in REPORT.render(dataclasses.replace(sample(), suppressed_findings=()))


def test_hostile_names_are_text() -> None:
    text = REPORT.render(hostile())
    outline = Outline(text)
    _harmless(outline)
    for name in HOSTILE:
        if name.isprintable():
            assert " ".join(name.split()) in outline.text
    assert "\\u202egnp.exe" in outline.text
    assert "49" not in outline.text.replace("0049", "")
    assert not set(text) & set("\x00\x07\x1b\u202e")


@settings(max_examples=40, deadline=None)
@given(results)
def test_no_result_breaks_out_of_its_place(result: AuditResult) -> None:
    text = REPORT.render(result)
    text.encode("utf-8")
    _harmless(Outline(text))


def test_every_table_has_heads_and_every_section_a_name() -> None:
    outline = Outline(REPORT.render(sample()))
    assert outline.of("html") == [{"lang": "en"}]
    assert len(outline.of("main")) == len(outline.of("header")) == len(outline.of("footer")) == len(outline.of("nav")) == 1
    assert all("scope" in head for head in outline.of("th"))
    ids = [attributes["id"] for _, attributes in outline.elements if attributes.get("id")]
    assert len(ids) == len(set(ids))
    assert all(section.get("aria-labelledby") in ids for section in outline.of("section"))
    assert all(svg.get("role") == "img" and svg.get("aria-label") for svg in outline.of("svg"))
    assert {(a.get("href") or "").removeprefix("#") for a in outline.of("a")} <= set(ids)


def test_many_findings_give_a_page_that_opens() -> None:
    text = HtmlReport(per_rule=20).render(big(20_000, rules=36))
    assert len(text) < 3_000_000
    outline = Outline(text)
    assert sum(d.get("class") == "finding" for d in outline.of("details")) == 36 * 20
    assert "and 536 more findings of this rule: the JSON report holds all of them." in outline.text
    assert "20,000 findings" in outline.text


def test_many_subjects_and_rows_are_cut_and_counted() -> None:
    base = sample()
    crowd = finding(1, evidence={"members": [{"device": f"d-{n}"} for n in range(500)]})
    crowd = dataclasses.replace(crowd, subjects=crowd.subjects * 250)
    text = Outline(REPORT.render(dataclasses.replace(base, findings=(crowd,)))).text
    assert "and 480 more rows" in text
    assert "and 480 more subjects" in text
    assert "and 497 more since" in text


def test_the_same_result_gives_the_same_page() -> None:
    assert REPORT.render(sample()) == REPORT.render(sample())


def test_charts_without_figures_are_sentences() -> None:
    outline = Outline(REPORT.render(dataclasses.replace(sample(), figures=FleetFigures())))
    assert "0 usable credentials end in the 24 months from November 2026." in outline.text
    assert "No trust domain with devices is known." in outline.text
    assert len(outline.of("svg")) == 1


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    made = {"sample": sample(), "hostile": hostile()}
    for name, result in made.items():
        (folder / f"{name}.html").write_text(REPORT.render(result), "utf-8")
    return {name: folder / f"{name}.html" for name in made}


CONTRAST = """(() => {
  const linear = v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(linear); return .2126 * r + .7152 * g + .0722 * b };
  const ground = e => {
    for (; e; e = e.parentElement) {
      const c = getComputedStyle(e).backgroundColor;
      if (!c.startsWith('rgba(0, 0, 0, 0')) return c;
    }
    return 'rgb(255, 255, 255)';
  };
  let worst = 21;
  const tags = 'p, th, td, dt, dd, summary, span.badge, span.when, li, a, h1, h2, h3, label, caption, button';
  for (const e of document.body.querySelectorAll(tags)) {
    if (!e.innerText || !e.innerText.trim()) continue;
    const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x);
    worst = Math.min(worst, (a + .05) / (b + .05));
  }
  return worst;
})()"""
"""The worst contrast of text and its ground in the page (WCAG 2: at least 4.5)."""


def test_a_browser_shows_it_without_errors_or_requests(pages: dict[str, Path]) -> None:
    """One browser for all that needs one: policy, script, layout on a phone, contrast in both schemes, paper."""
    with page() as tab:
        for name, path in pages.items():
            tab.size(1280, 900)
            tab.requested.clear()
            tab.open(path)
            assert tab.logged == []
            assert tab.requested == [path.as_uri()]
            assert tab.evaluate("typeof window.pwned") == "undefined"
            assert tab.evaluate("document.title") == "Machine identities as of 2026-11-01 00:00 UTC"
            for dark in (False, True):
                tab.size(390, 800, dark)
                assert tab.evaluate("document.documentElement.scrollWidth") <= 390, name
                assert tab.evaluate(CONTRAST) >= 4.5, (name, dark)
        tab.open(pages["sample"])
        _filters(tab.evaluate)
        assert tab.logged == []
        tab.pdf(printed := pages["sample"].with_suffix(".pdf"))
        assert printed.read_bytes().startswith(b"%PDF")


def _filters(evaluate: object) -> None:
    assert callable(evaluate)
    seen = "[...document.querySelectorAll('details.finding')].filter(e => e.checkVisibility()).length"
    form = "document.querySelector('form.tools')"
    change = f"{form}.dispatchEvent(new Event('input', {{bubbles: true}}))"
    assert evaluate(f"{form}.hidden") is False
    assert evaluate(seen) == 7
    evaluate(f"{form}.elements.text.value = 'METER-0003'; {change}")
    assert evaluate(seen) == 1
    assert evaluate(f"{form}.querySelector('output').textContent") == "1 of 7 findings in this page"
    evaluate(f"{form}.elements.text.value = ''; {form}.querySelector('[value=critical]').checked = false; {change}")
    assert evaluate(seen) == 2
    evaluate(f"{form}.elements.order.value = 'name'; {form}.elements.order.dispatchEvent(new Event('change'))")
    first = "document.querySelector('#rules section').dataset.name"
    assert evaluate(first) == "key-shared-across-devices"
    evaluate(f"{form}.elements.open.click()")
    assert evaluate("[...document.querySelectorAll('#rules details')].every(d => d.open)") is True
