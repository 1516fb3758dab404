"""Checks the packages in node/packages, and fills them in for a release.

    python3 .ci/packages.py [check [ROOT]]
    python3 .ci/packages.py fill IMAGE HOME OUT

check: the files are what node/packages/schema.json allows; versions, ports, settings and paths agree with the program's and with each
other; and no port is open to more than it should be. It needs PyYAML and jsonschema, and takes a second.

fill: copies the folders for Umbrel and Start9 to OUT, with the published IMAGE (NAME:VERSION@sha256:DIGEST) and the project's
address HOME instead of the placeholders.
"""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

try:
    import jsonschema
    import yaml
except ImportError:
    # `fill` needs neither.
    jsonschema = yaml = None

ROOT = Path(__file__).resolve().parent.parent
NO_IMAGE = re.compile(r"registry\.example/shoal:([^@'\s]+)@sha256:0{64}")
NO_HOME = re.compile(r"https://shoal\.example[a-z/]*")


class Problems(list):
    """Sentences that say what is wrong."""

    def equal(self, what: str, found: object, wanted: object) -> None:
        if found != wanted:
            self.append(f"{what} is {found!r}, not {wanted!r}")


def one(pattern: str, text: str) -> str:
    """The one place of a text that matches."""
    found = re.findall(pattern, text, re.MULTILINE)
    return found[0] if len(found) == 1 else f"found {len(found)} times: {pattern}"


def known_keys(example: str) -> set[str]:
    """Each key of the example settings, commented out or not, with its section."""
    section, keys = "", set()
    for line in example.splitlines():
        if header := re.fullmatch(r"\[(\w+)\]", line):
            section = header[1] + "."
        elif key := re.match(r"(?:# )?(\w+) = ", line):
            keys.add(section + key[1])
    return keys


def listening(example: str) -> dict[str, int]:
    """The ports that a node listens on without settings."""
    settings = tomllib.loads(example)
    ports = {name: settings[name]["listen"] for name in ("stratum", "api")}
    ports["p2p"] = settings["p2p"]["listen"][0]
    return {name: int(address.rpartition(":")[2]) for name, address in ports.items()}


def settings_of(path: Path, keys: set[str], problems: Problems) -> dict:
    text = path.read_text()
    for key in sorted(known_keys(text) - keys):
        problems.append(f"{path.name}: shoal.example.toml has no key {key}")
    return tomllib.loads(text)


def valid(name: str, value: object, part: str, schema: dict, problems: Problems) -> None:
    rules = {"$ref": f"#/$defs/{part}", "$defs": schema["$defs"]}
    for error in jsonschema.Draft202012Validator(rules).iter_errors(value):
        problems.append(f"{name}: {error.json_path}: {error.message}")


def check_compose(folder: Path, context: dict, problems: Problems) -> None:
    compose = yaml.safe_load((folder / "compose.yaml").read_text())
    valid("compose.yaml", compose, "compose", context["schema"], problems)
    shoal, bitcoind = compose["services"]["shoal"], compose["services"]["bitcoind"]
    ports = context["ports"]
    problems.equal("compose.yaml: shoal's image", shoal["image"], f"localhost/shoal:{context['version']}")
    lan, *others = shoal["ports"]
    if not re.fullmatch(r"\$\{LAN_ADDRESS:\?[^}]+\}:%d:%d/tcp" % (ports["stratum"], ports["stratum"]), lan):
        problems.append(f"compose.yaml: miners must be served at LAN_ADDRESS alone, not at {lan}")
    wanted = ["127.0.0.1:{api}:{api}/tcp", "{p2p}:{p2p}/tcp", "{p2p}:{p2p}/udp"]
    problems.equal("compose.yaml: the other ports", others, [row.format(**ports) for row in wanted])
    problems.equal("compose.yaml: bitcoind's ports", bitcoind["ports"], ["48333:48333/tcp"])
    problems.equal("compose.yaml: shoal's health command", shoal["healthcheck"]["test"], ["CMD", "/usr/bin/shoal", "status"])

    settings = settings_of(folder / "shoal.toml", context["keys"], problems)
    flags = dict(flag.lstrip("-").partition("=")[::2] for flag in bitcoind["command"])
    cookie = settings["bitcoind"]["cookie_file"]
    problems.equal("compose.yaml: bitcoind's cookie", flags.get("rpccookiefile"), cookie)
    for name, service in compose["services"].items():
        mounts = [mount.split(":")[1] for mount in service["volumes"] if mount.startswith("cookie:")]
        problems.equal(f"compose.yaml: the cookie's folder at {name}", mounts, [str(Path(cookie).parent)])
    if settings["network"] not in flags:
        problems.append(f"compose.yaml: bitcoind is not on {settings['network']}, as shoal.toml is")
    (alias,) = bitcoind["networks"]["rpc"]["aliases"]
    problems.equal("shoal.toml: bitcoind.url", settings["bitcoind"]["url"], f"http://{alias}:48332")
    problems.equal("compose.yaml: rpc is internal", compose["networks"]["rpc"]["internal"], True)
    (subnet,) = compose["networks"]["rpc"]["ipam"]["config"]
    problems.equal("compose.yaml: -rpcallowip", flags.get("rpcallowip"), subnet["subnet"])
    (group,) = shoal["group_add"]
    owner = compose["volumes"]["cookie"]["driver_opts"]["o"]
    problems.equal("compose.yaml: the cookie's volume", owner, f"size=64k,uid={group},gid={group},mode=0750")
    for part, name in (("stratum", "miners"), ("api", "pages")):
        problems.equal(f"shoal.toml: where {name} are served", settings[part]["listen"], f"0.0.0.0:{ports[part]}")


def check_umbrel(folder: Path, context: dict, problems: Problems) -> None:
    app = yaml.safe_load((folder / "umbrel-app.yml").read_text())
    valid("umbrel-app.yml", app, "umbrel-app", context["schema"], problems)
    problems.equal("umbrel-app.yml: id", app["id"], folder.name)
    problems.equal("umbrel-app.yml: version", app["version"], context["version"])
    compose = yaml.safe_load((folder / "docker-compose.yml").read_text())
    valid("docker-compose.yml", compose, "umbrel-compose", context["schema"], problems)
    node, proxy, ports = compose["services"]["node"], compose["services"]["app_proxy"]["environment"], context["ports"]
    problems.equal("docker-compose.yml: app_proxy", (proxy["APP_HOST"], proxy["APP_PORT"]), (f"{app['id']}_node_1", ports["api"]))
    problems.equal("docker-compose.yml: the image's version", one(NO_IMAGE.pattern, node["image"]), context["version"])
    inside = sorted(int(port.split("/")[0].rpartition(":")[2]) for port in node["ports"])
    problems.equal("docker-compose.yml: ports, of which the pages have none", inside, [ports["stratum"], ports["p2p"], ports["p2p"]])
    outside = "".join(port.split(":")[0] for port in node["ports"] if f":{ports['stratum']}/" in port)
    if outside != one(r"umbrel\.local:(\d+)", app["description"]):
        problems.append(f"umbrel-app.yml: the description does not name the miners' port {outside}")
    known = {"SHOAL_" + key.replace(".", "_").upper() for key in context["keys"]}
    for name in sorted(set(node["environment"]) - known):
        problems.append(f"docker-compose.yml: shoal reads no variable {name}")
    problems.equal("docker-compose.yml: where pages are served", node["environment"]["SHOAL_API_LISTEN"], f"0.0.0.0:{ports['api']}")
    for source in (volume.split(":")[0] for volume in node["volumes"]):
        if not (folder / source.removeprefix("${APP_DATA_DIR}/")).is_dir():
            problems.append(f"docker-compose.yml: the package has no folder {source}")
    settings_of(folder / "data/settings/shoal.toml", context["keys"], problems)
    for network, wanted in (("mainnet", "testnet4"), ("testnet4", "testnet4"), ("signet", "signet"), ("", "testnet4")):
        command = ["bash", "-euo", "pipefail", "-c", f". {folder}/exports.sh && printf %s $APP_SHOAL_NETWORK"]
        found = subprocess.run(command, env={"APP_BITCOIN_NETWORK": network}, capture_output=True, text=True, check=False)
        problems.equal(f"exports.sh: the network on {network or 'nothing'}", found.stdout + found.stderr, wanted)


def check_start9(folder: Path, context: dict, problems: Problems) -> None:
    text = lambda path: (folder / "startos" / path).read_text()
    problems.equal("start9: version", one(r"version: '([^:']+):\d+'", text("versions/current.ts")), context["version"])
    problems.equal("start9: the image's version", one(NO_IMAGE.pattern, text("manifest/index.ts")), context["version"])
    for name, part in (("miners", "stratum"), ("pages", "api"), ("peers", "p2p")):
        port = one(rf"^export const {name}Port = (\d+)$", text("utils.ts"))
        problems.equal(f"start9: the port of {name}", port, str(context["ports"][part]))
    package, lock = (json.loads((folder / name).read_text()) for name in ("package.json", "package-lock.json"))
    for name, version in (package["dependencies"] | package["devDependencies"]).items():
        problems.equal(f"start9: package-lock.json has {name}", lock["packages"][f"node_modules/{name}"]["version"], version)
    for name, row in lock["packages"].items():
        if "resolved" in row:
            problems.append(f"start9: package-lock.json names where {name} was downloaded")
    for part in re.findall(r"^  (\w+): z$|^  (\w+): z\.", text("fileModels/shoal.toml.ts"), re.MULTILINE):
        key = part[0] or part[1]
        if not any(known == key or known.startswith(key + ".") for known in context["keys"]):
            problems.append(f"start9: shoal.example.toml has no key {key}")


def check_image(script: str, context: dict, problems: Problems) -> None:
    ports, found = context["ports"], re.findall(r"--port (\S+)", script)
    wanted = [f"{ports['stratum']}/tcp", f"{ports['api']}/tcp", f"{ports['p2p']}/tcp", f"{ports['p2p']}/udp"]
    problems.equal("oci.sh: ports", found, wanted)


def check(root: Path = ROOT) -> Problems:
    """One sentence for each thing that is wrong."""
    if yaml is None:
        sys.exit("packages: this Python has no PyYAML and jsonschema; Debian's, /usr/bin/python3, has them by python3-yaml and python3-jsonschema")
    problems, packages = Problems(), root / "node/packages"
    example = (root / "node/shoal.example.toml").read_text()
    context = {
        "version": tomllib.loads((root / "Cargo.toml").read_text())["workspace"]["package"]["version"],
        "keys": known_keys(example),
        "ports": listening(example),
        "schema": json.loads((packages / "schema.json").read_text()),
    }
    check_image((root / ".ci/oci.sh").read_text(), context, problems)
    check_compose(packages / "compose", context, problems)
    check_umbrel(packages / "umbrel/shoal", context, problems)
    check_start9(packages / "start9", context, problems)
    return problems


def fill(image: str, home: str, out: Path) -> None:
    """Writes what is sent to Umbrel and to Start9."""
    if not re.fullmatch(r"[^\s@]+:[^\s:@]+@sha256:[0-9a-f]{64}", image):
        sys.exit(f"packages: {image!r} is not NAME:VERSION@sha256:DIGEST")
    if not home.startswith("https://"):
        sys.exit(f"packages: {home!r} is not an https address")
    packages = ROOT / "node/packages"
    skip = shutil.ignore_patterns("node_modules", "javascript", "*.s9pk")
    shutil.copytree(packages / "umbrel/shoal", out / "umbrel/shoal")
    shutil.copytree(packages / "start9", out / "start9", ignore=skip)
    # StartOS looks for these beside the package's code.
    shutil.copy(ROOT / "LICENSE-MIT", out / "start9/LICENSE")
    shutil.copy(ROOT / "node/web/favicon.svg", out / "start9/icon.svg")
    for path in (*out.rglob("*.yml"), *out.rglob("*.ts")):
        text = path.read_text()
        path.write_text(NO_HOME.sub(home, NO_IMAGE.sub(image, text)))


def main() -> int:
    match sys.argv[1:]:
        case [] | ["check"]:
            problems = check()
        case ["check", root]:
            problems = check(Path(root))
        case ["fill", image, home, out]:
            fill(image, home, Path(out))
            return 0
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    for sentence in problems:
        print(f"packages: {sentence}", file=sys.stderr)
    print(f"packages: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
