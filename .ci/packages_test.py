"""Whether packages.py notices: python3 -m unittest discover -s .ci -p '*_test.py'"""

import shutil
import tempfile
import unittest
from pathlib import Path

import packages

FILES = ("Cargo.toml", ".ci/oci.sh", "node/shoal.example.toml")
COMPOSE, UMBREL, START9 = "node/packages/compose/", "node/packages/umbrel/shoal/", "node/packages/start9/"

# A file, what is changed in it, and a part of the sentence that must say so.
CHANGES = [
    (COMPOSE + "compose.yaml", '"127.0.0.1:3380:3380/tcp"', '"3380:3380/tcp"', "the other ports"),
    (COMPOSE + "compose.yaml", "${LAN_ADDRESS:?", "${LAN_ADDRESS:-", "does not match"),
    (COMPOSE + "compose.yaml", '"48333:48333/tcp"', '"48332:48332/tcp"', "bitcoind's ports"),
    (COMPOSE + "compose.yaml", "    read_only: true", "    readonly: true", "readonly"),
    (COMPOSE + "compose.yaml", "localhost/shoal:0.1.0", "localhost/shoal:0.0.9", "shoal's image"),
    (COMPOSE + "compose.yaml", 'group_add: ["101"]', 'group_add: ["102"]', "cookie's volume"),
    (COMPOSE + "compose.yaml", "aliases: [bitcoind-rpc]", "aliases: [bitcoind]", "bitcoind.url"),
    (COMPOSE + "compose.yaml", "    internal: true", "    internal: false", "rpc is internal"),
    (COMPOSE + "shoal.toml", "/run/bitcoind/cookie", "/run/bitcoin/cookie", "cookie"),
    (COMPOSE + "shoal.toml", "upnp = false", "unpn = false", "no key p2p.unpn"),
    (COMPOSE + "shoal.toml", 'network = "testnet4"', 'network = "signet"', "not on signet"),
    (UMBREL + "umbrel-app.yml", 'version: "0.1.0"', 'version: "0.0.9"', "version"),
    (UMBREL + "umbrel-app.yml", "category: bitcoin\n", "", "'category' is a required property"),
    (UMBREL + "umbrel-app.yml", "umbrel.local:3383", "umbrel.local:3333", "3383"),
    (UMBREL + "docker-compose.yml", "SHOAL_BITCOIND_USER", "SHOAL_BITCOIN_USER", "no variable SHOAL_BITCOIN_USER"),
    (UMBREL + "docker-compose.yml", "APP_PORT: 3380", "APP_PORT: 3381", "app_proxy"),
    (UMBREL + "docker-compose.yml", '      - "3383:3333/tcp"', '      - "3383:3333/tcp"\n      - "3384:3380/tcp"', "the pages have none"),
    (UMBREL + "docker-compose.yml", "/data/node:", "/data/nodes:", "no folder"),
    (UMBREL + "exports.sh", "signet | regtest)", "signet | regtest | mainnet)", "the network on mainnet"),
    (UMBREL + "data/settings/shoal.toml", "new_pool", "newpool", "no key newpool"),
    (START9 + "startos/versions/current.ts", "0.1.0:0", "0.2.0:0", "start9: version"),
    (START9 + "startos/utils.ts", "peersPort = 3381", "peersPort = 3382", "the port of peers"),
    (START9 + "package.json", '/start-sdk": "2.0.9"', '/start-sdk": "2.0.8"', "package-lock.json has"),
    (".ci/oci.sh", "--port 3381/udp", "--port 3382/udp", "oci.sh: ports"),
    ("node/shoal.example.toml", 'listen = "0.0.0.0:3333"', 'listen = "0.0.0.0:3334"', "ports"),
]


class Packages(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.root = Path(holder.name)
        skip = shutil.ignore_patterns("node_modules", "javascript")
        shutil.copytree(packages.ROOT / "node/packages", self.root / "node/packages", ignore=skip)
        (self.root / ".ci").mkdir()
        for name in FILES:
            shutil.copy(packages.ROOT / name, self.root / name)

    def test_as_they_are_they_agree(self) -> None:
        self.assertEqual(packages.check(self.root), [])

    def test_each_change_is_noticed(self) -> None:
        for name, old, new, words in CHANGES:
            with self.subTest(name=name, new=new):
                path = self.root / name
                text = path.read_text()
                self.assertIn(old, text)
                path.write_text(text.replace(old, new))
                problems = packages.check(self.root)
                self.assertTrue(any(words in sentence for sentence in problems), f"{words!r} is not in {problems}")
                path.write_text(text)

    def test_a_release_has_no_placeholder(self) -> None:
        image = "registry.test/pool/shoal:0.1.0@sha256:" + "ab" * 32
        packages.fill(image, "https://shoal.test", self.root / "out")
        texts = [path.read_text() for path in (self.root / "out").rglob("*") if path.suffix in (".yml", ".ts", ".sh")]
        self.assertFalse([text for text in texts if "registry.example" in text or "shoal.example" in text])
        self.assertEqual(sum(image in text for text in texts), 2)
        for name in ("umbrel/shoal/exports.sh", "start9/LICENSE", "start9/icon.svg", "start9/instructions.md"):
            self.assertTrue((self.root / "out" / name).is_file(), name)


if __name__ == "__main__":
    unittest.main()
