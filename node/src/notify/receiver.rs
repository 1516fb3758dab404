//! The receivers: the requests that each gets.
//!
//! | receiver | request | documented at |
//! |---|---|---|
//! | webhook | POST of JSON, signed | `specs/api.md` |
//! | ntfy | POST of text; the headers `Title`, `Tags`, `Click` | <https://docs.ntfy.sh/publish/> |
//! | Telegram | POST of JSON to `/botTOKEN/sendMessage` | <https://core.telegram.org/bots/api#sendmessage> |
//! | Discord | POST of JSON to the webhook | <https://discord.com/developers/docs/resources/webhook#execute-webhook> |
//! | Slack | POST of JSON to the incoming webhook | <https://api.slack.com/messaging/webhooks> |
//! | mail | SMTP (RFC 5321) | `mail.rs` |

use bitcoin::hashes::{Hash, HashEngine, Hmac, HmacEngine, sha256};
use reqwest::{Client, RequestBuilder, StatusCode, Url, header};
use serde_json::{Value, json};

use super::mail::{self, MailError};
use super::message::Message;
use crate::clock::now;
use crate::config::{ReceiverConfig, Secret};
use crate::connection_words;
use crate::lan::is_here;
use crate::limits::WEBHOOK_TIMEOUT;

/// Why an event was not delivered.
#[derive(Debug, thiserror::Error)]
pub(super) enum Undelivered {
    #[error("the receiver cannot be reached: {}", connection_words::of_http(.0))]
    Unreachable(reqwest::Error),
    #[error("the receiver answered {status}{}", advice(*.status))]
    Refused { status: StatusCode },
    #[error(transparent)]
    Mail(#[from] MailError),
    #[error("the URL cannot be extended by the path that this receiver needs")]
    Url,
}

impl Undelivered {
    /// True if another attempt may succeed. Mail servers lock out clients that repeat a wrong password.
    pub(super) fn may_pass(&self) -> bool {
        !matches!(self, Self::Mail(MailError::Login(_)) | Self::Url)
    }
}

fn advice(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => "; check its URL and its token",
        StatusCode::TOO_MANY_REQUESTS => "; it gets too many messages",
        StatusCode::BAD_REQUEST => "; check its URL and, for Telegram, the id of the chat",
        _ => "",
    }
}

/// How messages leave this machine.
#[derive(Clone, Debug)]
pub(super) struct Way {
    client: Client,
    /// The mandatory proxy; none if there is none.
    proxy: Option<p2p::Proxy>,
}

impl Way {
    /// The proxy resolves names, and gives each message its own circuit. Receivers on this machine need no proxy.
    pub(super) fn new(proxy: Option<p2p::Proxy>) -> reqwest::Result<Self> {
        let proxy = proxy.filter(|proxy| proxy.only);
        let builder = Client::builder().timeout(WEBHOOK_TIMEOUT).redirect(reqwest::redirect::Policy::none());
        let Some(through) = proxy.map(|proxy| format!("socks5h://webhooks:shoal@{}", proxy.address)) else {
            return Ok(Self { client: builder.build()?, proxy });
        };
        let here = move |url: &Url| (!is_here(url)).then(|| through.clone());
        Ok(Self { client: builder.proxy(reqwest::Proxy::custom(here)).build()?, proxy })
    }
}

/// Name of a receiver's kind.
pub(super) fn kind(receiver: &ReceiverConfig) -> &'static str {
    match receiver {
        ReceiverConfig::Webhook { .. } => "webhook",
        ReceiverConfig::Ntfy { .. } => "ntfy",
        ReceiverConfig::Telegram { .. } => "telegram",
        ReceiverConfig::Discord { .. } => "discord",
        ReceiverConfig::Slack { .. } => "slack",
        ReceiverConfig::Mail(_) => "mail",
    }
}

/// Host of a receiver. The rest of its URL may be a secret.
pub(super) fn host(receiver: &ReceiverConfig) -> &str {
    match receiver {
        ReceiverConfig::Webhook { url, .. }
        | ReceiverConfig::Ntfy { url, .. }
        | ReceiverConfig::Discord { url }
        | ReceiverConfig::Slack { url } => url.host(),
        ReceiverConfig::Telegram { server: url, .. } => url.host_str().unwrap_or_default(),
        ReceiverConfig::Mail(mail) => mail.server.host_str().unwrap_or_default(),
    }
}

/// Sends a message once.
pub(super) async fn send(receiver: &ReceiverConfig, way: &Way, message: &Message) -> Result<(), Undelivered> {
    let client = &way.client;
    let request = match receiver {
        ReceiverConfig::Webhook { url, secret } => webhook(client.post(url.expose().clone()), secret, message),
        ReceiverConfig::Ntfy { url, token } => ntfy(client.post(url.expose().clone()), token.as_ref(), message),
        ReceiverConfig::Telegram { server, token, chat } => {
            let url = server.join(&format!("/bot{}/sendMessage", token.expose())).map_err(|_| Undelivered::Url)?;
            let text = format!("{}\n{}", message.title, message.text());
            let preview = json!({ "is_disabled": true });
            post(client.post(url), &json!({ "chat_id": chat, "text": text, "link_preview_options": preview }))
        }
        ReceiverConfig::Discord { url } => {
            let content = format!("**{}**\n{}", message.title, message.text_as(discord));
            let nobody = json!({ "parse": [] });
            post(client.post(url.expose().clone()), &json!({ "content": content, "allowed_mentions": nobody }))
        }
        ReceiverConfig::Slack { url } => {
            let text = format!("*{}*\n{}", message.title, slack(&message.text()));
            post(client.post(url.expose().clone()), &json!({ "text": text }))
        }
        ReceiverConfig::Mail(config) => return Ok(mail::send(config, way.proxy, message.title, message.text()).await?),
    };
    // Errors of reqwest contain the whole URL.
    let answer = request.send().await.map_err(Undelivered::Unreachable)?;
    if answer.status().is_success() { Ok(()) } else { Err(Undelivered::Refused { status: answer.status() }) }
}

fn webhook(request: RequestBuilder, secret: &Secret, message: &Message) -> RequestBuilder {
    let body = serde_json::to_string(message).expect("messages are made of strings and numbers");
    let signature = signature(secret, u64::from(now().0), &body);
    let request = request.header(header::CONTENT_TYPE, "application/json");
    request.header("Shoal-Event", message.kind).header("Shoal-Signature", signature).body(body)
}

fn ntfy(request: RequestBuilder, token: Option<&Secret>, message: &Message) -> RequestBuilder {
    let request = request.header("Title", message.title).header("Tags", message.kind);
    let request = message.link.iter().fold(request, |request, link| request.header("Click", link));
    let request = token.iter().fold(request, |request, token| request.bearer_auth(token.expose()));
    request.header(header::CONTENT_TYPE, "text/plain; charset=utf-8").body(message.text())
}

fn post(request: RequestBuilder, body: &Value) -> RequestBuilder {
    request.header(header::CONTENT_TYPE, "application/json").body(body.to_string())
}

/// Text for Discord, in which `[words](https://example.org)` would be a link that shows other words.
fn discord(text: &str) -> String {
    let is_markup = |letter: char| "\\*_~`|<>[]():#".contains(letter);
    text.chars().flat_map(|letter| is_markup(letter).then_some('\\').into_iter().chain([letter])).collect()
}

/// Text for Slack, in which `<!channel>` would call everyone.
fn slack(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The value of `Shoal-Signature` for a body sent at `time_s`, seconds since 1970.
pub(super) fn signature(secret: &Secret, time_s: u64, body: &str) -> String {
    let mut engine = HmacEngine::<sha256::Hash>::new(secret.expose().as_bytes());
    engine.input(format!("{time_s}.{body}").as_bytes());
    let code = Hmac::<sha256::Hash>::from_engine(engine);
    format!("t={time_s},v1={code:x}")
}
