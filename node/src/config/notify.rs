//! Keys for notifications: receivers of events, and kinds of events.

use lettre::message::Mailbox;
use reqwest::Url;

use super::error::ConfigError;
use super::keys;
use super::secret::{Secret, SecretUrl};
use super::settings::Settings;
use crate::event_kind::EventKind;
use crate::limits::{NOTIFY_RECEIVERS_MAX, WEBHOOKS_MAX};

/// Kinds of events sent by default: those that need attention, and good news.
const EVENTS: [EventKind; 8] = [
    EventKind::Block,
    EventKind::Payment,
    EventKind::Worker,
    EventKind::Work,
    EventKind::Bitcoin,
    EventKind::Isolation,
    EventKind::Conflict,
    EventKind::Upgrade,
];

const TELEGRAM: &str = "https://api.telegram.org";

const EVENT: &str = "a kind of event: start, block, payment, worker, reorganisation, refused, work, bitcoin, peers, \
                     isolation, conflict or upgrade";
const MAILBOX: &str = "a mail address, like me@example.org or Shoal <shoal@example.org>";

/// Where events go.
#[derive(Debug, Clone, Default)]
pub struct NotifyConfig {
    /// The receivers, each with the kinds of events that it gets.
    pub routes: Vec<Route>,
    /// URL of the node's web pages, for links; none to detect it.
    pub pages_url: Option<Url>,
}

/// A receiver, and the kinds of events that it gets.
#[derive(Debug, Clone)]
pub struct Route {
    /// The receiver.
    pub receiver: ReceiverConfig,
    /// Kinds of events that are sent.
    pub events: Vec<EventKind>,
}

/// A receiver of events.
#[derive(Debug, Clone)]
pub enum ReceiverConfig {
    /// A program; it gets signed JSON.
    Webhook {
        /// Its URL.
        url: SecretUrl,
        /// Key of the signatures.
        secret: Secret,
    },
    /// A topic of ntfy.
    Ntfy {
        /// URL of the topic.
        url: SecretUrl,
        /// Access token; none if the topic takes messages from anyone.
        token: Option<Secret>,
    },
    /// A chat of Telegram.
    Telegram {
        /// Server of the Bot API.
        server: Url,
        /// The bot's token.
        token: Secret,
        /// Id of the chat, or the name of a channel.
        chat: String,
    },
    /// A channel of Discord, by its webhook.
    Discord {
        /// URL of the webhook.
        url: SecretUrl,
    },
    /// A channel of Slack, by its incoming webhook.
    Slack {
        /// URL of the webhook.
        url: SecretUrl,
    },
    /// E-mail addresses of the recipients.
    Mail(MailConfig),
}

/// Mailboxes, and the server that mail for them is handed to.
#[derive(Debug, Clone)]
pub struct MailConfig {
    /// The server: smtps:// with TLS from the start, smtp:// with STARTTLS, which only a server on this machine may lack.
    pub server: Url,
    /// User and password; none if the server takes mail without.
    pub login: Option<(String, Secret)>,
    /// The sender.
    pub from: Mailbox,
    /// The recipients.
    pub to: Vec<Mailbox>,
}

pub(super) fn resolve(settings: &Settings) -> Result<NotifyConfig, ConfigError> {
    let pages_url = settings.parse(&keys::NOTIFY_PAGES_URL, "a URL like http://192.168.1.10:3380", |text| {
        web(text).filter(|url| url.path() == "/" && url.query().is_none())
    })?;
    let mut routes = webhooks(settings)?;
    let events = events(settings, &keys::NOTIFY_EVENTS)?;
    let receivers = [ntfy(settings)?, telegram(settings)?, channels(settings)?, mail(settings)?.into_iter().collect()];
    routes.extend(receivers.into_iter().flatten().map(|receiver| Route { receiver, events: events.clone() }));
    Ok(NotifyConfig { routes, pages_url })
}

fn web(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn secret_web(text: &str) -> Option<SecretUrl> {
    web(text).map(SecretUrl::new)
}

fn events(settings: &Settings, key: &'static keys::Key) -> Result<Vec<EventKind>, ConfigError> {
    let kind = |text: &str| EventKind::ALL.into_iter().find(|kind| kind.name() == text);
    Ok(settings.parse_many(key, EVENT, kind)?.unwrap_or_else(|| EVENTS.into()))
}

/// A list of at most [`NOTIFY_RECEIVERS_MAX`] entries.
fn list<T>(
    settings: &Settings,
    key: &'static keys::Key,
    expected: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, ConfigError> {
    let parsed = settings.parse_many(key, expected, parse)?.unwrap_or_default();
    settings.bounded(key, parsed.len(), NOTIFY_RECEIVERS_MAX, "at most 8 entries")?;
    Ok(parsed)
}

fn secret(settings: &Settings, key: &'static keys::Key) -> Result<Option<Secret>, ConfigError> {
    settings.parse(key, "a text that is not empty", |text| (!text.is_empty()).then(|| Secret::new(text)))
}

/// Rejects `key` without the key that it needs.
fn needs<T>(
    settings: &Settings,
    key: &'static keys::Key,
    value: Option<T>,
    missing: &'static keys::Key,
) -> Result<T, ConfigError> {
    let incomplete = |origin: &super::Origin| ConfigError::Incomplete {
        origin: origin.clone(),
        key: key.name,
        missing: missing.name,
    };
    match (value, settings.origin(key)) {
        (Some(value), _) => Ok(value),
        (None, origin) => Err(incomplete(origin.unwrap_or(&super::Origin::Env(key.env)))),
    }
}

fn webhooks(settings: &Settings) -> Result<Vec<Route>, ConfigError> {
    let urls = settings.parse_many(&keys::WEBHOOKS_URLS, "a URL like https://example.org/shoal", secret_web)?;
    let urls = urls.unwrap_or_default();
    settings.bounded(&keys::WEBHOOKS_URLS, urls.len(), WEBHOOKS_MAX, "at most 16 URLs")?;
    let events = events(settings, &keys::WEBHOOKS_EVENTS)?;
    let secret = secret(settings, &keys::WEBHOOKS_SECRET)?;
    if urls.is_empty() {
        return Ok(Vec::new());
    }
    let secret = needs(settings, &keys::WEBHOOKS_URLS, secret, &keys::WEBHOOKS_SECRET)?;
    let route =
        |url| Route { receiver: ReceiverConfig::Webhook { url, secret: secret.clone() }, events: events.clone() };
    Ok(urls.into_iter().map(route).collect())
}

fn ntfy(settings: &Settings) -> Result<Vec<ReceiverConfig>, ConfigError> {
    let topic = |text: &str| web(text).filter(|url| url.path().len() > 1).map(SecretUrl::new);
    let urls =
        list(settings, &keys::NOTIFY_NTFY, "the URL of a topic, like https://ntfy.sh/a-long-random-name", topic)?;
    let token = secret(settings, &keys::NOTIFY_NTFY_TOKEN)?;
    Ok(urls.into_iter().map(|url| ReceiverConfig::Ntfy { url, token: token.clone() }).collect())
}

fn telegram(settings: &Settings) -> Result<Vec<ReceiverConfig>, ConfigError> {
    let chat = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let chats = list(settings, &keys::NOTIFY_TELEGRAM_CHATS, "the id of a chat, like 123456789 or @channel", chat)?;
    let token = secret(settings, &keys::NOTIFY_TELEGRAM_TOKEN)?;
    let server = settings.parse(&keys::NOTIFY_TELEGRAM_SERVER, "a URL like https://api.telegram.org", web)?;
    if chats.is_empty() {
        return Ok(Vec::new());
    }
    let token = needs(settings, &keys::NOTIFY_TELEGRAM_CHATS, token, &keys::NOTIFY_TELEGRAM_TOKEN)?;
    let server = server.unwrap_or_else(|| web(TELEGRAM).expect("a fixed, valid URL"));
    let receiver = |chat| ReceiverConfig::Telegram { server: server.clone(), token: token.clone(), chat };
    Ok(chats.into_iter().map(receiver).collect())
}

fn channels(settings: &Settings) -> Result<Vec<ReceiverConfig>, ConfigError> {
    let expected = "the URL of a webhook, like https://discord.com/api/webhooks/ID/TOKEN";
    let discord = list(settings, &keys::NOTIFY_DISCORD, expected, secret_web)?;
    let expected = "the URL of an incoming webhook, like https://hooks.slack.com/services/T/B/KEY";
    let slack = list(settings, &keys::NOTIFY_SLACK, expected, secret_web)?;
    let discord = discord.into_iter().map(|url| ReceiverConfig::Discord { url });
    Ok(discord.chain(slack.into_iter().map(|url| ReceiverConfig::Slack { url })).collect())
}

fn mail(settings: &Settings) -> Result<Option<ReceiverConfig>, ConfigError> {
    let to = list(settings, &keys::NOTIFY_MAIL_TO, MAILBOX, |text| text.parse::<Mailbox>().ok())?;
    let from = settings.parse(&keys::NOTIFY_MAIL_FROM, MAILBOX, |text| text.parse::<Mailbox>().ok())?;
    let expected = "a URL like smtps://mail.example.org or smtp://mail.example.org:587, without user and password";
    let server = settings.parse(&keys::NOTIFY_SMTP, expected, smtp)?;
    let user = settings.text(&keys::NOTIFY_SMTP_USER).map(|(user, _)| user.to_owned());
    let password = secret(settings, &keys::NOTIFY_SMTP_PASSWORD)?;
    if to.is_empty() {
        return Ok(None);
    }
    let server = needs(settings, &keys::NOTIFY_MAIL_TO, server, &keys::NOTIFY_SMTP)?;
    let from = needs(settings, &keys::NOTIFY_MAIL_TO, from, &keys::NOTIFY_MAIL_FROM)?;
    let login = match (user, password) {
        (None, None) => None,
        (Some(user), password) => {
            Some((user, needs(settings, &keys::NOTIFY_SMTP_USER, password, &keys::NOTIFY_SMTP_PASSWORD)?))
        }
        (None, Some(_)) => return needs(settings, &keys::NOTIFY_SMTP_PASSWORD, None, &keys::NOTIFY_SMTP_USER),
    };
    Ok(Some(ReceiverConfig::Mail(MailConfig { server, login, from, to })))
}

/// A mail server, without credentials, which have their own keys.
fn smtp(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let plain = matches!(url.scheme(), "smtp" | "smtps") && url.has_host() && matches!(url.path(), "" | "/");
    (plain && url.username().is_empty() && url.password().is_none()).then_some(url)
}
