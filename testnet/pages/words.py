"""Parses numbers as the pages format them."""

import re

PREFIXES = {"p": 1e-12, "n": 1e-9, "µ": 1e-6, "m": 1e-3, "": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
UNITS_S = {"s": 1, "min": 60, "h": 3600, "day": 86400, "days": 86400, "months": 365.25 * 7200, "years": 365.25 * 86400}
SAT = 100_000_000


def whole(text):
    """`1,234` is 1234. Surrounding words are ignored."""
    found = re.search(r"\d[\d,]*", text)
    assert found, f"no number in {text!r}"
    return int(found[0].replace(",", ""))


def hashrate(text):
    """`145 kH/s` is 145000."""
    found = re.search(r"([\d.,]+) ([pnµmkMGTPE]?)H/s", text)
    assert found, f"no hashrate in {text!r}"
    return float(found[1].replace(",", "")) * PREFIXES[found[2]]


def satoshi(text):
    """`50.00000141 BTC` and `123 sat`, exactly."""
    found = re.search(r"([\d,]+)(?:\.(\d{8}))? (BTC|sat)", text)
    assert found, f"no amount in {text!r}"
    number = int(found[1].replace(",", ""))
    return number if found[3] == "sat" else number * SAT + int(found[2])


def bitcoin(text):
    """`1,234.5 BTC` is 1234.5, of an estimate."""
    found = re.search(r"([\d,.]+) BTC", text)
    assert found, f"no amount in {text!r}"
    return float(found[1].replace(",", ""))


def percent(text):
    """`12.3%` is 0.123."""
    found = re.search(r"([\d.,]+)%", text)
    assert found, f"no percentage in {text!r}"
    return float(found[1].replace(",", "")) / 100


def seconds(text):
    """`3 min 20 s` is 200."""
    found = re.findall(r"([\d.,]+) (min|s|h|days?|months|years)\b", text)
    assert found, f"no time in {text!r}"
    return sum(float(number.replace(",", "")) * UNITS_S[unit] for number, unit in found)


def near(found, wanted, what, part=0.01):
    """Checks that two values are close. Three digits cause an error of half a percent; the rest allows for changes in the
    meantime."""
    assert abs(found - wanted) <= part * abs(wanted), f"{what}: the page says {found}, the API {wanted}"


def same(found, wanted, what):
    if found == wanted:
        return
    if isinstance(found, list) and isinstance(wanted, list):
        place = next((i for i, (one, other) in enumerate(zip(found, wanted)) if one != other), min(len(found), len(wanted)))
        what += f" of {len(found)}, from place {place} on"
        found, wanted = found[place : place + 2], wanted[place : place + 2]
    raise AssertionError(f"{what}: the page says {str(found)[:300]}, the API {str(wanted)[:300]}")


def says(page, *sentences):
    """Compares a sentence of the API, which may start with a capital letter on the page."""
    for sentence in sentences:
        assert sentence.lower() in page["text"].lower(), f"the page does not say {sentence!r}"
