use super::*;
use crate::rng::stream;

fn reached(topology: &Topology) -> usize {
    let neighbors = topology.neighbors();
    let mut seen = BTreeSet::from([NodeId(0)]);
    let mut open = vec![NodeId(0)];
    while let Some(node) = open.pop() {
        open.extend(neighbors[node.index()].iter().copied().filter(|peer| seen.insert(*peer)));
    }
    seen.len()
}

#[test]
fn few_nodes_know_everyone() {
    let topology = Topology::usual(EVERYONE_MAX, 8, &mut stream(1, "topology", 0));
    assert_eq!(topology.edges().len(), 66);
    assert!(topology.neighbors().iter().all(|peers| peers.len() == 11));
}

#[test]
fn many_nodes_are_connected_by_a_random_graph() {
    for seed in 0..20 {
        let topology = Topology::usual(100, 8, &mut stream(seed, "topology", 0));
        assert_eq!(topology, Topology::usual(100, 8, &mut stream(seed, "topology", 0)));
        assert_eq!(reached(&topology), 100);
        let mut opened = [0; 100];
        topology.edges().iter().for_each(|(from, _)| opened[from.index()] += 1);
        // Rarely, a node finds no new peer.
        assert!(opened.iter().all(|count| (1..=8).contains(count)));
        assert!(topology.edges().len() > 790);
        let mut pairs: Vec<_> = topology.edges().iter().map(|(a, b)| (a.min(b), a.max(b))).collect();
        pairs.sort_unstable();
        assert!(pairs.windows(2).all(|two| two[0] != two[1]), "no connection is there twice");
        assert!(pairs.iter().all(|(a, b)| a != b), "nobody is its own peer");
    }
}

#[test]
fn a_graph_of_few_nodes_has_what_connections_there_are() {
    assert_eq!(Topology::random(1, 8, &mut stream(1, "topology", 0)).edges(), []);
    assert_eq!(Topology::random(2, 8, &mut stream(1, "topology", 0)).edges().len(), 1);
    assert_eq!(reached(&Topology::random(5, 1, &mut stream(1, "topology", 0))), 5);
}
