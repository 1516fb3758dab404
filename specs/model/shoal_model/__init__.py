"""The share-chain protocol as a program: `specs/protocol.md` and `specs/rules.md`, written to be read.

The modules follow the sections of the protocol. Every rule stands once, with its number, where it is checked.
All integers are Python's own and never overflow; bytes are in the order of the encoding; hashes and ids are in the
order in which SHA-256 puts them out.
"""
