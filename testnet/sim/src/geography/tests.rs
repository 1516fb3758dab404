use super::*;
use crate::rng::stream;

#[test]
fn the_table_is_complete_and_symmetric() {
    for (index, row) in ROUND_TRIP_MS.iter().enumerate() {
        assert_eq!(row.len(), index + 1);
    }
    for (a, b) in City::all().flat_map(|a| City::all().map(move |b| (a, b))) {
        assert_eq!(a.round_trip(b), b.round_trip(a));
        assert_eq!(a.one_way(b).0 * 2, a.round_trip(b).0);
    }
}

#[test]
fn a_city_is_nearest_to_itself() {
    for a in City::all() {
        assert!(a.round_trip(a) <= Micros::from_millis(10));
        assert!(City::all().filter(|b| *b != a).all(|b| b.round_trip(a) > a.round_trip(a)));
    }
}

/// Cables are not straight, so a detour may be shorter, but not by much.
#[test]
fn detours_save_little() {
    for (a, b) in City::all().flat_map(|a| City::all().map(move |b| (a, b))) {
        for over in City::all() {
            let detour = a.round_trip(over) + over.round_trip(b);
            assert!(a.round_trip(b).0 * 2 <= detour.0 * 3, "{} {} over {}", a.name(), b.name(), over.name());
        }
    }
}

/// IBM Cloud's averages between its regions over the 30 days to September 29, 2024. Its Washington is Ashburn.
#[test]
fn another_provider_measured_about_the_same() {
    let others = [
        ("ashburn", "frankfurt", 91),
        ("ashburn", "london", 76),
        ("ashburn", "sydney", 214),
        ("ashburn", "tokyo", 166),
        ("ashburn", "sao-paulo", 118),
        ("frankfurt", "sydney", 250),
        ("frankfurt", "tokyo", 231),
        ("frankfurt", "sao-paulo", 197),
        ("london", "sao-paulo", 186),
        ("tokyo", "sydney", 115),
    ];
    for (a, b, theirs_ms) in others {
        let ours_ms = City::named(a).unwrap().round_trip(City::named(b).unwrap()).whole_millis();
        assert!(ours_ms.abs_diff(theirs_ms) * 5 <= theirs_ms, "{a} {b}: {ours_ms} and {theirs_ms} ms");
    }
}

#[test]
fn places_are_drawn_by_weight_and_seed() {
    assert_eq!(WEIGHTS.iter().sum::<u8>(), WEIGHTS_SUM);
    let draw = |seed| {
        let mut rng = stream(seed, "places", 0);
        (0..20_000).map(|_| City::draw(&mut rng)).collect::<Vec<_>>()
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    for (city, weight) in City::all().zip(WEIGHTS) {
        let count = draw(1).iter().filter(|drawn| **drawn == city).count();
        assert!(count.abs_diff(usize::from(weight) * 200) < 300, "{}: {count}", city.name());
    }
}

#[test]
fn cities_have_names() {
    assert!(City::all().all(|city| City::named(city.name()) == Some(city)));
    assert_eq!(City::named("atlantis"), None);
}
