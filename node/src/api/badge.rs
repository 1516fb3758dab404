//! `/api/v1/badge.svg`: the pool's hashrate as a small image that other pages can embed.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use super::context::Api;
use super::status::pool_hashrate_hs;
use crate::status::words::hashrate;

/// Width of a character, pixels: the average of sans-serif fonts of 11 pixels, rounded up.
const CHAR_WIDTH: usize = 7;

/// Returns the pool's hashrate as an SVG image.
#[utoipa::path(
    get, path = "/api/v1/badge.svg",
    responses((status = 200, description = "An image", content_type = "image/svg+xml", body = String))
)]
pub(super) async fn badge(State(api): State<Arc<Api>>) -> impl IntoResponse {
    let value = pool_hashrate_hs(&api.chain()).map_or_else(|| "unknown yet".to_owned(), hashrate);
    ([(header::CONTENT_TYPE, "image/svg+xml")], svg("Shoal", &value))
}

/// A label and a value side by side. Neither may have characters that XML reserves.
pub(super) fn svg(label: &str, value: &str) -> String {
    let [left, right] = [label, value].map(|text| CHAR_WIDTH * text.chars().count() + 10);
    let (width, middle_left, middle_right) = (left + right, left / 2, left + right / 2);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"20\" role=\"img\" aria-label=\"{label}: {value}\">\
         <title>{label}: {value}</title><rect width=\"{width}\" height=\"20\" rx=\"3\" fill=\"#0b5394\"/>\
         <rect width=\"{left}\" height=\"20\" rx=\"3\" fill=\"#333\"/>\
         <g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\" text-anchor=\"middle\">\
         <text x=\"{middle_left}\" y=\"14\">{label}</text><text x=\"{middle_right}\" y=\"14\">{value}</text></g></svg>"
    )
}
