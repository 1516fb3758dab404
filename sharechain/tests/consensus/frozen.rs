//! A clone of the chain is a frozen view: it does not change with the original, and other threads may read it.

use std::sync::Arc;

use sharechain::chain::{Fate, Outcome};
use sharechain::limits::MEMORY_DEPTH;
use sharechain::{Chain, Height, ShareId};
use testkit::{Spec, World, miner};

/// Everything that readers ask of a chain, for all ids so far.
fn view(chain: &Chain, world: &World, ids: &[ShareId]) -> String {
    let mut view = format!("{:?} {:?} {:?}", chain.tip(), chain.settled(), chain.locator());
    for height in (0..=chain.height().0).map(Height) {
        view += &format!("{:?}", chain.main_at(height));
    }
    for id in ids {
        view += &format!("{:?} {:?} {:?} {:?}", chain.fate(id), chain.link(id), chain.credit(id), chain.refusal(id));
    }
    let scripts: Vec<_> = (0..=u8::MAX).map(|number| chain.scripts().index(&miner(number))).collect();
    let missing: Vec<_> = chain.missing().collect();
    view += &format!("{:?} {:?} {scripts:?}", chain.pending(usize::MAX), chain.assignment());
    view += &format!("{missing:?} {} {}", chain.held_len(), chain.refused_len());
    for header in &world.bitcoin_headers {
        view += &format!("{:?}", chain.bitcoin().get(&header.block_hash()));
    }
    view + &format!("{:?}", chain.window_of(&chain.tip()))
}

fn ids(brought: &[(sharechain::Proof, Option<Vec<ShareId>>)]) -> Vec<ShareId> {
    brought.iter().map(|(proof, _)| proof.id()).collect()
}

#[test]
fn a_clone_stays_as_it_was_while_the_original_goes_on() {
    let mut world = World::new();
    let mut known = ids(&world.grow(30, 3));
    known.push(world.share(miner(3)).id());
    let mut other = world.clone();
    // A branch that will win, a proof that will be held, and links after which the chain forgets old lists.
    other.now = other.now.plus(1);
    let branch = other.grow(8, 2);
    known.extend(ids(&world.grow(4, 2)));
    known.extend(ids(&branch));

    let frozen = Arc::new(world.chain.clone());
    let before = view(&frozen, &world, &known);
    assert_eq!(before, view(&world.chain, &world, &known));

    let tip = world.chain.tip();
    let orphan = branch.last().unwrap().0.clone();
    (world.now, world.bitcoin_tip) = (other.now, other.bitcoin_tip);
    for header in &other.bitcoin_headers {
        world.chain.insert_bitcoin_header(*header, world.now);
    }
    assert!(matches!(world.insert(&orphan, None), Outcome::Held(_)));
    for (proof, list) in &branch {
        world.insert(proof, list.clone());
    }
    assert!(!matches!(world.chain.fate(&tip), Fate::MainLink(_)), "the branch did not win");
    for _ in 0..MEMORY_DEPTH + 400 {
        let spec = Spec { list: vec![], link: true, ..world.spec(miner(1)) };
        world.link_of(spec);
    }
    assert_ne!(view(&world.chain, &world, &known), before);

    let reader = Arc::clone(&frozen);
    let seen = std::thread::scope(|scope| scope.spawn(|| view(&reader, &world, &known)).join().unwrap());
    assert_eq!(seen.len(), before.len());
    assert!(seen == before, "the clone has changed");
}

#[test]
fn a_clone_goes_its_own_way() {
    let mut world = World::new();
    world.grow(20, 2);
    let mut other = world.clone();
    other.grow(5, 1);
    let tip = world.chain.tip();
    assert_eq!(world.chain.height(), Height(20));
    world.grow(7, 2);
    assert_eq!((world.chain.height(), other.chain.height()), (Height(27), Height(25)));
    assert!(world.chain.link(&tip).is_some() && other.chain.link(&tip).is_some());
}

#[test]
fn readers_get_the_plans_and_windows_that_the_chain_remembers() {
    let mut world = World::new();
    world.grow(60, 3);
    let assignment = world.chain.assignment().unwrap();
    let (anchor, previous) = (assignment.position.anchor, world.bitcoin_tip.block_hash());
    let (newcomer, tip) = (world.chain.clone(), world.chain.tip());

    let plan = world.chain.plan(&anchor, &previous).unwrap();
    assert!(plan.selection.is_some());
    assert!(Arc::ptr_eq(&plan, &world.chain.plan_of(&anchor, &previous).unwrap()), "it was remembered");
    assert_eq!(newcomer.plan_of(&anchor, &previous).unwrap(), plan);

    let window = world.chain.window(&tip).unwrap();
    assert!(Arc::ptr_eq(&window, &world.chain.window_of(&tip).unwrap()), "it was remembered");
    let again = newcomer.window_of(&tip).unwrap();
    assert_eq!((again.total(), again.proofs(), again.oldest()), (window.total(), window.proofs(), window.oldest()));
    assert!(again.sums().eq(window.sums()));
    let unknown = ShareId([1; 32]);
    assert!(newcomer.window_of(&unknown).is_none());
    assert_eq!(newcomer.plan_of(&unknown, &previous).err(), world.chain.plan(&unknown, &previous).err());
}
