use sharechain::Height;
fn main() {
    let mut world = testkit::World::new();
    world.grow(12, 2);
    let chain = &world.chain;
    for (n, (a, b)) in [(1, 3), (5, 12), (1, 12)].into_iter().enumerate() {
        let bytes = chain.chunk_of(Height(a), Height(b)).unwrap().encode();
        std::fs::write(format!("sharechain/fuzz/corpus/rows/r{n}"), &bytes[..bytes.len() - 32]).unwrap();
    }
    for h in [1, 6, 12] {
        let b = chain.beginning_at(Height(h));
        if let Some(b) = b {
            std::fs::write(format!("sharechain/fuzz/corpus/beginning/b{h}"), b.encode()).unwrap();
        }
    }
}
