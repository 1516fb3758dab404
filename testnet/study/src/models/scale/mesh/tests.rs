use super::*;
use sim::rng::stream;
use sim::topology::Topology;

fn mesh(nodes: usize) -> (Connections, Mesh) {
    let mut rng = stream(1, "test", 0);
    let connections = Connections::new(&Topology::usual(nodes, 8, &mut rng), &mut rng);
    let mesh = Mesh::form(&connections, MeshRules::default(), &mut stream(1, "test", 1));
    (connections, mesh)
}

#[test]
fn a_mesh_is_mutual_and_made_of_connections() {
    let (connections, mesh) = mesh(500);
    for node in 0..500 {
        for peer in mesh.of(node) {
            assert!(mesh.of(*peer).contains(&node));
            assert!(connections.are_connected(node, *peer));
        }
    }
}

#[test]
fn degrees_lie_between_the_bounds() {
    let (_, mesh) = mesh(2_000);
    let rules = MeshRules::default();
    let degrees: Vec<usize> = mesh.0.iter().map(Vec::len).collect();
    assert!(degrees.iter().all(|degree| (rules.low..rules.high).contains(degree)), "{degrees:?}");
    let mean = degrees.iter().sum::<usize>() as f64 / 2_000.0;
    assert!((6.0..11.0).contains(&mean), "{mean}");
}

#[test]
fn a_node_outside_the_mesh_hears_news() {
    let rules = MeshRules::default();
    assert_eq!(rules.told(3), 3);
    assert_eq!(rules.told(10), 6);
    assert_eq!(rules.told(40), 10);
}
