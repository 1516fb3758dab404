//! A small JSON-RPC client for both kinds of Bitcoin.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::limits::RPC_TIMEOUT;

/// An error of a call.
#[derive(Debug, thiserror::Error)]
pub enum RpcError {
    /// The cookie file cannot be read: the server has not started yet, or is gone.
    #[error("cannot read the cookie file {path}")]
    Cookie {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The server cannot be reached, or its answer is not JSON.
    #[error("the call {method} got no answer")]
    Transport {
        /// The method called.
        method: &'static str,
        /// The cause.
        source: reqwest::Error,
    },
    /// The server answered with an error.
    #[error("the call {method} failed with code {code}: {message}")]
    Failed {
        /// The method called.
        method: &'static str,
        /// Bitcoin's error code.
        code: i64,
        /// Bitcoin's error message.
        message: String,
    },
    /// The answer does not have the expected type.
    #[error("the answer to {method} has the wrong type")]
    Unexpected {
        /// The method called.
        method: &'static str,
    },
}

/// A client of one server. It is cheap to clone.
#[derive(Debug, Clone)]
pub struct Rpc {
    url: String,
    cookie_path: PathBuf,
    http: reqwest::Client,
}

impl Rpc {
    /// Creates a client. It sends nothing yet.
    pub fn new(server: SocketAddr, cookie_path: PathBuf) -> Self {
        Self { url: format!("http://{server}/"), cookie_path, http: reqwest::Client::new() }
    }

    /// Calls `method` and returns its result.
    ///
    /// # Errors
    /// [`RpcError::Failed`] if the server answers with an error, other variants if there is no valid answer.
    pub async fn call(&self, method: &'static str, params: Value) -> Result<Value, RpcError> {
        let request = json!({ "jsonrpc": "1.0", "id": 1, "method": method, "params": params });
        let mut answer = self.send(method, &request).await?;
        if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
            return Err(RpcError::Failed {
                method,
                code: error["code"].as_i64().unwrap_or_default(),
                message: error["message"].as_str().unwrap_or_default().to_owned(),
            });
        }
        match answer.get_mut("result") {
            Some(result) => Ok(result.take()),
            None => Err(RpcError::Unexpected { method }),
        }
    }

    /// Calls `method` and expects a string.
    ///
    /// # Errors
    /// Like [`Rpc::call`], and [`RpcError::Unexpected`] for a result of another type.
    pub async fn call_str(&self, method: &'static str, params: Value) -> Result<String, RpcError> {
        match self.call(method, params).await? {
            Value::String(text) => Ok(text),
            _ => Err(RpcError::Unexpected { method }),
        }
    }

    /// Posts any JSON and returns the raw answer, including errors and batches.
    ///
    /// # Errors
    /// [`RpcError::Cookie`] and [`RpcError::Transport`].
    pub async fn send(&self, method: &'static str, body: &Value) -> Result<Value, RpcError> {
        let cookie = tokio::fs::read_to_string(&self.cookie_path)
            .await
            .map_err(|source| RpcError::Cookie { path: self.cookie_path.clone(), source })?;
        let (user, password) = cookie.trim().split_once(':').unwrap_or((cookie.trim(), ""));
        let transport = |source| RpcError::Transport { method, source };
        let response = self
            .http
            .post(&self.url)
            .basic_auth(user, Some(password))
            .timeout(RPC_TIMEOUT)
            .json(body)
            .send()
            .await
            .map_err(transport)?;
        response.json().await.map_err(transport)
    }
}
