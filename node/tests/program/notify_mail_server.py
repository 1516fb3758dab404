"""A mail server for tests: aiosmtpd, with TLS and with one user who may send.

    notify_mail_server.py MODE CERTIFICATE KEY

MODE is `plain` (neither TLS nor login), `starttls` or `smtps` (both with login). Prints its port first, then each mail as a
line of JSON.
"""

import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

MODE, CERTIFICATE, KEY = sys.argv[1:4]


def say(what):
    print(json.dumps(what), flush=True)


class Inbox:
    async def handle_DATA(self, server, session, envelope):
        say({"from": envelope.mail_from, "to": envelope.rcpt_tos, "mail": envelope.content.decode(), "tls": session.ssl is not None or MODE == "smtps",
             "login": session.authenticated})
        return "250 OK"


def login(server, session, envelope, mechanism, data):
    known = isinstance(data, LoginPassword) and (data.login, data.password) == (b"shoal", b"hush")
    return AuthResult(success=known, handled=False)


def context():
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE, KEY)
    return tls


options = {}
if MODE != "plain":
    # With TLS from the start, aiosmtpd does not know that the connection is safe for passwords.
    options = {"authenticator": login, "auth_required": True, "auth_require_tls": MODE == "starttls"}
if MODE == "starttls":
    options |= {"tls_context": context(), "require_starttls": True}
loop = asyncio.new_event_loop()
serving = loop.create_server(lambda: SMTP(Inbox(), loop=loop, **options), "127.0.0.1", 0, ssl=context() if MODE == "smtps" else None)
say(loop.run_until_complete(serving).sockets[0].getsockname()[1])
loop.run_forever()
