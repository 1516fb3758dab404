"""What a judgment can be, besides valid (section 11). Each is raised where it is decided."""

# Rules that every proof with the same id breaks: the id is remembered as invalid.
CONDEMNING = frozenset(f"SC-{number}" for number in range(201, 215))


class Broken(Exception):
    """Invalid: a rule is broken. Its sender pays."""

    def __init__(self, rule, detail):
        super().__init__(f"{rule}: {detail}")
        self.rule, self.detail = rule, detail


class Held(Exception):
    """Something is missing or too early. `kind` is 'proof', 'list', 'header' or 'time'; `key` says which."""

    def __init__(self, kind, key=b""):
        super().__init__(f"{kind} {key.hex()}".rstrip())
        self.kind, self.key = kind, key


class Unlistable(Exception):
    """Of no use to any link to come: not kept, costs nobody."""


def need(holds, rule, detail):
    """Raises `Broken` unless `holds`. `detail` is text, or a function that makes it."""
    if not holds:
        raise Broken(rule, detail() if callable(detail) else detail)


def differ(what, found, expected):
    """The detail of a rule that wants one value and found another."""
    return f"{what} is {show(found)}, expected {show(expected)}"


def show(value):
    return value.hex() if isinstance(value, bytes) else str(value)
