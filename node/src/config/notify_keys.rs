//! The keys for notifications; see `keys.rs`.

use super::key::{Key, Shape};

/// URLs of the webhooks.
pub const WEBHOOKS_URLS: Key = Key::one(
    ["webhooks.urls", "webhooks-urls", "SHOAL_WEBHOOKS_URLS"],
    "URL",
    "URL that events are sent to, like https://example.org/shoal; repeatable [default: none]",
)
.shaped(Shape::Many)
.secret();
/// Key of the webhooks' signatures.
pub const WEBHOOKS_SECRET: Key = Key::one(
    ["webhooks.secret", "webhooks-secret", "SHOAL_WEBHOOKS_SECRET"],
    "SECRET",
    "Key that events are signed with; flags are visible to other users of this machine, so prefer the file",
)
.secret();
/// Kinds of events for the webhooks.
pub const WEBHOOKS_EVENTS: Key = Key::one(
    ["webhooks.events", "webhooks-events", "SHOAL_WEBHOOKS_EVENTS"],
    "KIND",
    "Kinds of events that are sent; repeatable [default: block, payment, worker, work, bitcoin, isolation, conflict, upgrade]",
)
.shaped(Shape::Many);
/// Kinds of events for people.
pub const NOTIFY_EVENTS: Key = Key::one(
    ["notify.events", "notify-events", "SHOAL_NOTIFY_EVENTS"],
    "KIND",
    "Kinds of events to send to people; repeatable [default: block, payment, worker, work, bitcoin, isolation, conflict, upgrade]",
)
.shaped(Shape::Many);
/// Address of the pages in links.
pub const NOTIFY_PAGES_URL: Key = Key::one(
    ["notify.pages_url", "notify-pages-url", "SHOAL_NOTIFY_PAGES_URL"],
    "URL",
    "Where you reach this node's web pages, for the links in events [default: their address in the local network]",
);
/// Topics of ntfy.
pub const NOTIFY_NTFY: Key = Key::one(
    ["notify.ntfy", "notify-ntfy", "SHOAL_NOTIFY_NTFY"],
    "URL",
    "Topic of ntfy, like https://ntfy.sh/a-long-random-name; repeatable [default: none]",
)
.shaped(Shape::Many)
.secret();
/// Access token of ntfy.
pub const NOTIFY_NTFY_TOKEN: Key = Key::one(
    ["notify.ntfy_token", "notify-ntfy-token", "SHOAL_NOTIFY_NTFY_TOKEN"],
    "TOKEN",
    "Access token of the topics, if they need one; flags are visible to other users of this machine",
)
.secret();
/// Chats of Telegram.
pub const NOTIFY_TELEGRAM_CHATS: Key = Key::one(
    ["notify.telegram_chats", "notify-telegram-chats", "SHOAL_NOTIFY_TELEGRAM_CHATS"],
    "CHAT",
    "Chat of Telegram, by its id or as @channel; repeatable [default: none]",
)
.shaped(Shape::Many);
/// Token of the Telegram bot.
pub const NOTIFY_TELEGRAM_TOKEN: Key = Key::one(
    ["notify.telegram_token", "notify-telegram-token", "SHOAL_NOTIFY_TELEGRAM_TOKEN"],
    "TOKEN",
    "Token of your Telegram bot, from @BotFather; flags are visible to other users of this machine",
)
.secret();
/// Server of Telegram's Bot API.
pub const NOTIFY_TELEGRAM_SERVER: Key = Key::one(
    ["notify.telegram_server", "notify-telegram-server", "SHOAL_NOTIFY_TELEGRAM_SERVER"],
    "URL",
    "Server of Telegram's Bot API, if you run your own [default: https://api.telegram.org]",
);
/// Webhooks of Discord.
pub const NOTIFY_DISCORD: Key = Key::one(
    ["notify.discord", "notify-discord", "SHOAL_NOTIFY_DISCORD"],
    "URL",
    "Webhook of a Discord channel; repeatable [default: none]",
)
.shaped(Shape::Many)
.secret();
/// Webhooks of Slack.
pub const NOTIFY_SLACK: Key = Key::one(
    ["notify.slack", "notify-slack", "SHOAL_NOTIFY_SLACK"],
    "URL",
    "Incoming webhook of a Slack channel; repeatable [default: none]",
)
.shaped(Shape::Many)
.secret();
/// Recipients of mail.
pub const NOTIFY_MAIL_TO: Key = Key::one(
    ["notify.mail_to", "notify-mail-to", "SHOAL_NOTIFY_MAIL_TO"],
    "MAILBOX",
    "Mail address that events are sent to; repeatable [default: none]",
)
.shaped(Shape::Many);
/// Sender of mail.
pub const NOTIFY_MAIL_FROM: Key = Key::one(
    ["notify.mail_from", "notify-mail-from", "SHOAL_NOTIFY_MAIL_FROM"],
    "MAILBOX",
    "Mail address that events are sent from; your mail server must allow it",
);
/// The mail server.
pub const NOTIFY_SMTP: Key = Key::one(
    ["notify.smtp", "notify-smtp", "SHOAL_NOTIFY_SMTP"],
    "URL",
    "Your mail server: smtps://HOST with TLS (port 465), or smtp://HOST with STARTTLS (port 587)",
);
/// User of the mail server.
pub const NOTIFY_SMTP_USER: Key =
    Key::one(["notify.smtp_user", "notify-smtp-user", "SHOAL_NOTIFY_SMTP_USER"], "NAME", "User of the mail server");
/// Password of the mail server.
pub const NOTIFY_SMTP_PASSWORD: Key = Key::one(
    ["notify.smtp_password", "notify-smtp-password", "SHOAL_NOTIFY_SMTP_PASSWORD"],
    "PASSWORD",
    "Password of that user; flags are visible to other users of this machine, so prefer the file",
)
.secret();
