//! `/api/v1/power`: the schedule by which devices rest, and the owner's switch.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::context::Api;
use super::error::{ApiError, ErrorBody, echo};
use crate::clock::now;
use crate::config::Who;
use crate::limits::PAUSE_WORKERS_MAX;
use crate::power::{Power, Switch};

/// What decides which devices rest.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PowerView {
    /// State of the switch: `schedule` (off), `run` (no device rests), or `pause`.
    pub switch: String,
    /// Percentage of the time for which the devices that the switch pauses run; none unless it pauses.
    pub run_percent: Option<u8>,
    /// Names of the workers that the switch pauses; empty for all of them, or if it does not pause.
    pub workers: Vec<String>,
    /// When the switch ends, seconds since 1970; none if it does not end by itself.
    pub until_unix_s: Option<u32>,
    /// The pauses of the configuration.
    pub schedule: Vec<String>,
    /// The time zone of their times.
    pub time_zone: String,
    /// Number of this node's devices that rest now. `/devices` names them.
    pub resting: u64,
}

/// Devices that rest to save power.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Resting {
    /// Number of them.
    pub devices: u64,
    /// When the first of them resumes, seconds since 1970; none if only their owner can end the pause.
    pub until_unix_s: Option<u32>,
}

impl Resting {
    pub(super) fn of((devices, until_unix_s): (u64, Option<u32>)) -> Option<Self> {
        (devices > 0).then_some(Self { devices, until_unix_s })
    }
}

/// The new state of the switch.
#[derive(Clone, Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct NewSwitch {
    /// `pause`, or `run` to override the schedule.
    pub what: String,
    /// With `pause`: comma-separated names of workers; all by default.
    pub workers: Option<String>,
    /// With `pause`: percentage of the time for which the devices run, 0 to 99; 0 by default.
    #[param(minimum = 0, maximum = 99, default = 0)]
    pub run_percent: Option<u8>,
    /// Seconds until it ends, up to a year; never by default.
    #[param(minimum = 1, maximum = 31_536_000)]
    pub for_s: Option<u32>,
}

/// The longest time of a switch that ends, seconds.
const FOR_S_MAX: u32 = 31_536_000;

impl NewSwitch {
    pub(super) fn read(fields: &[(String, String)]) -> Result<Self, ApiError> {
        let mut new = Self { what: String::new(), workers: None, run_percent: None, for_s: None };
        for (name, value) in fields {
            match name.as_str() {
                "what" => new.what.clone_from(value),
                "workers" => new.workers = Some(value.clone()),
                "run_percent" => {
                    let percent = value.parse().ok().filter(|percent| *percent < 100);
                    let wrong = || ApiError::parameter("`run_percent` in the query", "a number from 0 to 99", value);
                    new.run_percent = Some(percent.ok_or_else(wrong)?);
                }
                "for_s" => {
                    let length = value.parse().ok().filter(|length| (1..=FOR_S_MAX).contains(length));
                    let wanted = "a number of seconds from 1 to 31536000";
                    new.for_s = Some(length.ok_or_else(|| ApiError::parameter("`for_s` in the query", wanted, value))?);
                }
                _ => {
                    let known = "`what`, `workers`, `run_percent` and `for_s`";
                    return Err(ApiError::UnknownParameter { found: echo(name), known });
                }
            }
        }
        Ok(new)
    }

    fn switch(self, now: u32) -> Result<Switch, ApiError> {
        let until = self.for_s.map(|for_s| now.saturating_add(for_s));
        let is_bare = self.workers.is_none() && self.run_percent.is_none();
        match &*self.what {
            "run" if is_bare => Ok(Switch::Run { until }),
            "pause" => {
                let mut who = Who { run_percent: self.run_percent.unwrap_or(0), workers: Vec::new() };
                if let Some(workers) = &self.workers {
                    let wanted = "comma-separated names without blanks, at most 64";
                    let wrong = || ApiError::parameter("`workers` in the query", wanted, workers);
                    let fits =
                        !workers.contains(char::is_whitespace) && workers.split(',').count() <= PAUSE_WORKERS_MAX;
                    who.take(&format!("workers={workers}")).filter(|()| fits).ok_or_else(wrong)?;
                }
                Ok(Switch::Pause { who, until })
            }
            _ => Err(ApiError::parameter(
                "`what` in the query",
                "`pause`, or `run` without workers and run_percent",
                &self.what,
            )),
        }
    }
}

/// The switch, for the node's operator.
fn power(api: &Api, headers: &HeaderMap) -> Result<Power, ApiError> {
    api.for_owner(headers)?;
    Ok(api.context.devices.power())
}

fn shown(api: &Api, power: &Power) -> Json<PowerView> {
    let now = now().0;
    let switch = power.switch(now);
    let until_unix_s = switch.until();
    let (name, who) = match switch {
        Switch::Schedule => ("schedule", None),
        Switch::Run { .. } => ("run", None),
        Switch::Pause { who, .. } => ("pause", Some(who)),
    };
    let config = power.config();
    Json(PowerView {
        switch: name.to_owned(),
        run_percent: who.as_ref().map(|who| who.run_percent),
        workers: who.map(|who| who.workers).unwrap_or_default(),
        until_unix_s,
        schedule: config.pauses.iter().map(ToString::to_string).collect(),
        time_zone: config.zone_name(),
        resting: api.context.devices.lock().resting(now).0,
    })
}

async fn set(api: &Api, power: &Power, switch: Switch) -> Result<Json<PowerView>, ApiError> {
    let writing = power.clone();
    let written = tokio::task::spawn_blocking(move || writing.set(switch)).await.map_err(|_| ApiError::Stopping)?;
    written.map_err(|error| ApiError::Full(format!("the switch cannot be written to the data folder: {error}")))?;
    Ok(shown(api, power))
}

/// Returns the schedule and the switch that decide which devices rest.
#[utoipa::path(
    get, path = "/api/v1/power", security(("token" = [])),
    responses((status = 200, description = "Schedule and switch", body = PowerView), (status = 401, description = "The token is missing", body = ErrorBody))
)]
pub(super) async fn show(State(api): State<Arc<Api>>, headers: HeaderMap) -> Result<Json<PowerView>, ApiError> {
    let power = power(&api, &headers)?;
    Ok(shown(&api, &power))
}

/// Pauses devices, or lets all run regardless of the schedule; survives restarts.
#[utoipa::path(
    post, path = "/api/v1/power", security(("token" = [])), params(NewSwitch),
    responses((status = 200, description = "Schedule and switch", body = PowerView), (status = 400, description = "A parameter is invalid", body = ErrorBody), (status = 401, description = "The token is missing", body = ErrorBody), (status = 409, description = "The switch cannot be written", body = ErrorBody))
)]
pub(super) async fn switch(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    new: NewSwitch,
) -> Result<Json<PowerView>, ApiError> {
    let power = power(&api, &headers)?;
    let switch = new.switch(now().0)?;
    set(&api, &power, switch).await
}

/// Lets the schedule decide alone.
#[utoipa::path(
    delete, path = "/api/v1/power", security(("token" = [])),
    responses((status = 200, description = "Schedule and switch", body = PowerView), (status = 401, description = "The token is missing", body = ErrorBody), (status = 409, description = "The switch cannot be removed", body = ErrorBody))
)]
pub(super) async fn reset(State(api): State<Arc<Api>>, headers: HeaderMap) -> Result<Json<PowerView>, ApiError> {
    let power = power(&api, &headers)?;
    set(&api, &power, Switch::Schedule).await
}
