//! DNS seeds: names whose TXT records list nodes, as in libp2p's
//! [dnsaddr](https://github.com/multiformats/multiaddr/blob/master/protocols/DNSADDR.md).

use hickory_resolver::TokioResolver;
use hickory_resolver::net::NetError;
use hickory_resolver::proto::rr::RData;
use p2p_proto::discovery::Seed;
use p2p_proto::limits::DNS_SEED_ADDRESSES_MAX;
use p2p_proto::record::Address;

/// Looks up the nodes that a seed names. Records other than `dnsaddr=MULTIADDR` with an IP address or an onion service
/// are ignored: a seed cannot redirect a node to other names.
pub(super) async fn look_up(name: &str) -> Result<Vec<Seed>, NetError> {
    let resolver = TokioResolver::builder_tokio()?.build()?;
    // The final dot disables the machine's search domains.
    let found = resolver.txt_lookup(format!("_dnsaddr.{}.", name.trim_end_matches('.'))).await?;
    let texts = found.answers().iter().filter_map(|record| match &record.data {
        RData::TXT(text) => Some(text.txt_data.concat()),
        _ => None,
    });
    let seeds = texts.filter_map(|text| {
        let (address, peer) = Address::parse(std::str::from_utf8(&text).ok()?.strip_prefix("dnsaddr=")?)?;
        Some(Seed { address: address.to_string(), peer })
    });
    Ok(seeds.take(DNS_SEED_ADDRESSES_MAX).collect())
}
