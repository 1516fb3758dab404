//! No import cycles among files: data flows one way.
//!
//! A file imports another when one of its paths (`crate::`, `super::`, in `use` or inline) leads to a name that the
//! other defines; names that a module re-exports with `use` are followed to where they are defined. A file may name its
//! parent modules, and a parent re-exports names of its children with `pub use`: neither is an import.

use std::collections::{BTreeMap, BTreeSet};

use crate::{CRATES, code, program};

type Path = Vec<String>;

/// One file as a module.
#[derive(Default)]
struct Module {
    file: String,
    /// Paths that it names, from the crate's root. Re-exports are not resolved.
    paths: Vec<(Path, bool)>,
    /// Names that its `use` declarations bring in, and their paths.
    brought: BTreeMap<String, Path>,
}

fn path(text: &str) -> Path {
    text.split("::").map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// Every path of a `use` tree with the name that it brings in. `a::{b, c::d as e}` has two.
fn spread(tree: &str, before: &str, out: &mut Vec<(String, String)>) {
    let tree = tree.trim();
    if let Some(open) = tree.find('{') {
        let head = format!("{before}{}", &tree[..open]);
        let inner = &tree[open + 1..tree.rfind('}').unwrap_or(tree.len())];
        let (mut depth, mut start) = (0, 0);
        for (at, c) in inner.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    spread(&inner[start..at], &head, out);
                    start = at + 1;
                }
                _ => {}
            }
        }
        spread(&inner[start..], &head, out);
    } else if !tree.is_empty() {
        let (path, name) = tree.split_once(" as ").unwrap_or((tree, ""));
        let full = format!("{before}{path}");
        let name = if name.is_empty() { full.rsplit("::").next().unwrap_or_default() } else { name };
        out.push((full.trim().to_owned(), name.trim().to_owned()));
    }
}

/// A path from the crate's root, or `None` for a path into another crate.
fn absolute(text: &str, module: &Path, modules: &BTreeSet<Path>) -> Option<Path> {
    let mut parts = path(text);
    let mut base = match parts.first()?.as_str() {
        "crate" => Path::new(),
        "self" => module.clone(),
        "super" => {
            let mut base = module.clone();
            base.pop()?;
            while parts.get(1).is_some_and(|part| part == "super") {
                base.pop()?;
                parts.remove(0);
            }
            base
        }
        first => {
            // `use part::Name` of a module's own part.
            let mut own = module.clone();
            own.push(first.to_owned());
            if !modules.contains(&own) {
                return None;
            }
            parts.insert(0, "self".to_owned());
            module.clone()
        }
    };
    base.extend(parts.into_iter().skip(1));
    Some(base)
}

/// The module of a file of `folder`.
fn module_of(file: &str, folder: &str) -> Option<Path> {
    let inner = file.strip_prefix(&format!("{folder}/src/"))?.strip_suffix(".rs")?;
    let mut parts: Path = inner.split('/').map(str::to_owned).collect();
    match parts.last()?.as_str() {
        "lib" => {
            parts.pop();
            Some(parts)
        }
        "main" => None,
        _ => Some(parts),
    }
}

fn read(folder: &str) -> BTreeMap<Path, Module> {
    let files: Vec<(Path, String, String)> = program(&format!("{folder}/src"))
        .into_iter()
        .filter_map(|(file, text)| Some((module_of(&file, folder)?, file, text)))
        .collect();
    let known: BTreeSet<Path> = files.iter().map(|(module, ..)| module.clone()).collect();
    files.into_iter().map(|(module, file, text)| (module.clone(), parse(&module, file, &text, &known))).collect()
}

fn parse(module: &Path, file: String, text: &str, known: &BTreeSet<Path>) -> Module {
    let bare = code(text).collect::<Vec<_>>().join("\n");
    let mut parsed = Module { file, ..Module::default() };
    let mut rest = String::new();
    for statement in bare.split_inclusive(';') {
        let line = statement.trim_start();
        let uses = line.find("use ").filter(|at| *at == 0 || line.starts_with("pub"));
        let Some(at) = uses.filter(|at| !line[..*at].contains(['{', '}', '='])) else {
            rest.push_str(statement);
            continue;
        };
        let mut trees = Vec::new();
        spread(line[at + 4..].trim_end_matches(';'), "", &mut trees);
        for (full, name) in trees {
            if let Some(full) = absolute(&full, module, known) {
                parsed.brought.insert(name, full.clone());
                parsed.paths.push((full, at > 0));
            }
        }
    }
    for start in ["crate::", "super::"] {
        for (at, _) in rest.match_indices(start) {
            let before = rest[..at].chars().next_back().unwrap_or(' ');
            if before.is_alphanumeric() || before == '_' || before == ':' || before == '$' {
                continue;
            }
            let end =
                rest[at..].find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').unwrap_or(rest.len() - at);
            let full = rest[at..at + end].trim_end_matches(':');
            parsed.paths.extend(absolute(full, module, known).map(|full| (full, false)));
        }
    }
    parsed
}

/// The module that defines the item at a path.
fn definer(full: &Path, modules: &BTreeMap<Path, Module>, depth: usize) -> Option<Path> {
    let own = (0..=full.len()).rev().find(|length| modules.contains_key(&full[..*length]))?;
    let (module, rest) = full.split_at(own);
    match rest.first().and_then(|name| modules[module].brought.get(name)) {
        Some(next) if depth < 8 => {
            let mut next = next.clone();
            next.extend(rest[1..].iter().cloned());
            definer(&next, modules, depth + 1)
        }
        _ => Some(module.to_vec()),
    }
}

fn imports(modules: &BTreeMap<Path, Module>) -> BTreeMap<String, BTreeSet<String>> {
    let mut imports = BTreeMap::<String, BTreeSet<String>>::new();
    for (module, parsed) in modules {
        let entry = imports.entry(parsed.file.clone()).or_default();
        for (full, passed_on) in &parsed.paths {
            let Some(target) = definer(full, modules, 0) else { continue };
            let is_whole = module.starts_with(&target);
            let passes_on_a_part = *passed_on && target.starts_with(module);
            if !(is_whole || passes_on_a_part) {
                entry.insert(modules[&target].file.clone());
            }
        }
    }
    imports
}

/// The cycles: what remains after repeatedly removing files that import none of the rest, and files that none of the
/// rest import.
fn circles(mut left: BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, BTreeSet<String>> {
    loop {
        let imported: BTreeSet<String> = left.values().flatten().cloned().collect();
        let before = left.len();
        left.retain(|file, imports| !imports.is_empty() && imported.contains(file));
        let kept: BTreeSet<String> = left.keys().cloned().collect();
        left.values_mut().for_each(|imports| imports.retain(|file| kept.contains(file)));
        if left.len() == before {
            return left;
        }
    }
}

#[test]
fn files_import_in_no_circle() {
    let mut found = BTreeMap::new();
    for (_, folder) in CRATES {
        let modules = read(folder);
        let imports = imports(&modules);
        assert!(imports.len() == modules.len() && !imports.is_empty(), "the files of {folder} are found");
        found.extend(circles(imports));
    }
    assert!(found.is_empty(), "these files import each other in circles: {found:#?}");
}

#[test]
fn a_circle_is_found_wherever_the_name_comes_from() {
    let known: BTreeSet<Path> = [vec![], path("a"), path("a::b"), path("c")].into_iter().collect();
    let file = |module: &str, text: &str| {
        let module = path(module);
        (module.clone(), parse(&module, module.join("/"), text, &known))
    };
    // c imports from a::b through a's re-export, and a::b imports from c through `super`.
    let modules: BTreeMap<Path, Module> = [
        file("", "mod a;\nmod c;\n"),
        file("a", "mod b;\npub use b::{Name as Other, Second};\n"),
        file("a::b", "pub struct Name;\nfn f() -> super::super::c::Thing { todo() }\n"),
        file("c", "use crate::a::{self, Other};\npub struct Thing;\n"),
    ]
    .into_iter()
    .collect();
    let imports = imports(&modules);
    assert!(imports["c"].contains("a/b") && imports["a/b"].contains("c"), "{imports:?}");
    assert!(imports["a"].is_empty(), "a whole passes on the names of its parts");
    assert_eq!(circles(imports).into_keys().collect::<Vec<_>>(), ["a/b", "c"]);
}
