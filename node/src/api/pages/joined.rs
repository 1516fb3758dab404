//! Joins the modules of a page into one file. Forty modules take a browser 50 ms or more, even from its cache.
//!
//! A joined file has each module as a function, in the words of `js/modules.js`. It knows the forms in which the modules of
//! this application import and export. Libraries stay files of their own.

use std::collections::BTreeSet;
use std::fmt::Write;

/// The module of the frame around every page. Its joined file has what all others share.
pub(super) const FRAME: &str = "js/main.js";

/// The module whose functions joined files call.
const MODULES: &str = "js/modules.js";

/// Folder of joined files. Each has the path of its first module.
pub(super) const FOLDER: &str = "joined/";

/// Folder of libraries.
const LIBRARIES: &str = "vendor/";

/// The text of a file by its path; empty if there is none.
pub(super) type Source<'a> = &'a dyn Fn(&str) -> String;

/// True for a library, which no file is joined with.
pub(super) fn is_library(path: &str) -> bool {
    path.starts_with(LIBRARIES)
}

/// A module and all that it imports, by their paths. Imports that wait for a reader are not in it.
pub(super) fn with_imports(start: &str, source: Source<'_>) -> BTreeSet<String> {
    let (mut found, mut next) = (BTreeSet::new(), vec![start.to_owned()]);
    while let Some(path) = next.pop() {
        next.extend(quoted(&path, &source(&path), " from \"").filter(|import| !found.contains(import)));
        found.insert(path);
    }
    found
}

/// The modules that a module imports when a reader asks for them.
pub(super) fn later(path: &str, source: Source<'_>) -> Vec<String> {
    quoted(path, &source(path), "import(\"").collect()
}

/// The joined file of a module and all that it imports, but without the frame's, unless it is the frame.
pub(super) fn join(start: &str, source: Source<'_>) -> String {
    let root = "../".repeat(FOLDER.matches('/').count() + start.matches('/').count());
    let frame = if start == FRAME { BTreeSet::new() } else { with_imports(FRAME, source) };
    let mut file = if start == FRAME {
        source(MODULES)
    } else {
        format!("import {{ $define, $load, $need }} from \"{root}{FOLDER}{FRAME}\";\n")
    };
    let modules: Vec<_> = with_imports(start, source).difference(&frame).cloned().collect();
    let own = modules.iter().filter(|path| !is_library(path));
    let libraries: BTreeSet<_> = own
        .clone()
        .flat_map(|path| quoted(path, &source(path), " from \"").collect::<Vec<_>>())
        .filter(|path| is_library(path))
        .collect();
    for (number, path) in libraries.iter().enumerate() {
        write(
            &mut file,
            format_args!(
                "import * as library{number} from \"{root}{path}\";\n$define(\"{path}\", () => library{number});\n"
            ),
        );
    }
    for path in own {
        write(&mut file, format_args!("$define(\"{path}\", (($url) => {{\n{}}}));\n", function(path, &source(path))));
    }
    if start == FRAME {
        write(&mut file, format_args!("$need(\"{FRAME}\");\n"));
    }
    file
}

fn write(file: &mut String, text: std::fmt::Arguments<'_>) {
    file.write_fmt(text).expect("writing to a string cannot fail");
}

/// The body of a function that does what a module does, and returns its exports.
fn function(path: &str, source: &str) -> String {
    let (mut body, mut exports) = (String::new(), Vec::new());
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("import {") || line.starts_with("export {") {
            let mut statement = line.to_owned();
            while !statement.ends_with(';') {
                statement.push_str(lines.next().unwrap_or(";"));
            }
            body.push_str(&list(path, &statement, &mut exports));
        } else {
            body.push_str(declaration(line, &mut exports));
        }
        body.push('\n');
    }
    for import in source.split("import(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        body = body.replace(&format!("import(\"{import}\")"), &format!("$load(\"{}\")", resolved(path, import)));
    }
    body = body.replace("import.meta.url", "$url");
    write(&mut body, format_args!("return {{ {} }};\n", exports.join(", ")));
    body
}

/// A line without `export`, whose name is added to the exports.
fn declaration<'a>(line: &'a str, exports: &mut Vec<String>) -> &'a str {
    let Some(rest) = line.strip_prefix("export ") else { return line };
    let (rest, is_default) = rest.strip_prefix("default ").map_or((rest, false), |rest| (rest, true));
    let name = rest
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .find(|word| !matches!(*word, "async" | "function" | "const" | "class"));
    let name = name.unwrap_or_default();
    exports.push(if is_default { format!("default: {name}") } else { name.to_owned() });
    rest
}

/// What becomes of a list of imports or exports in one statement.
fn list(path: &str, statement: &str, exports: &mut Vec<String>) -> String {
    let (_, rest) = statement.split_once('{').unwrap_or_default();
    let (names, from) = rest.split_once('}').unwrap_or_default();
    let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
    let names = names.map(|name| name.split_once(" as ").unwrap_or((name, name)));
    let from = from.split('"').nth(1).map(|import| format!("$need(\"{}\")", resolved(path, import)));
    if statement.starts_with("import") {
        let names: Vec<_> = names.map(|(name, own)| format!("{name}: {own}")).collect();
        return format!("const {{ {} }} = {};", names.join(", "), from.unwrap_or_default());
    }
    exports.extend(names.map(|(name, own)| match &from {
        Some(from) => format!("{own}: {from}.{name}"),
        None => format!("{own}: {name}"),
    }));
    String::new()
}

/// The paths that follow `before` in a module's source, if they are relative.
fn quoted<'a>(path: &'a str, source: &'a str, before: &'a str) -> impl Iterator<Item = String> + 'a {
    let imports = source.split(before).skip(1).filter_map(|rest| rest.split('"').next());
    imports.filter(|import| import.starts_with('.')).map(move |import| resolved(path, import))
}

/// The path of an import in the module at `path`.
fn resolved(path: &str, import: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in import.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str) -> String {
        let text = match path {
            "js/main.js" => {
                "// It.\nimport { a as b,\n  c } from \"./deep/a.js\";\nconst later = () => import(\"./pages/p.js\");\n"
            }
            "js/deep/a.js" => {
                "import { x } from \"../../vendor/x.js\";\nexport const a = new URL(\"i.svg\", import.meta.url);\n\
                 export async function c() {\n}\nexport { x };\n"
            }
            "js/pages/p.js" => {
                "import { a } from \"../deep/a.js\";\nimport { only } from \"./q.js\";\nexport default function P() {\n}\n"
            }
            "js/pages/q.js" => "export {\n  y as only,\n} from \"../../vendor/y.js\";\nexport class Q {}\n",
            "js/modules.js" => "export function $define() {}\n",
            _ => "",
        };
        text.to_owned()
    }

    #[test]
    fn the_frame_is_one_file() {
        let expected = "export function $define() {}\n\
             import * as library0 from \"../../vendor/x.js\";\n$define(\"vendor/x.js\", () => library0);\n\
             $define(\"js/deep/a.js\", (($url) => {\nconst { x: x } = $need(\"vendor/x.js\");\n\
             const a = new URL(\"i.svg\", $url);\nasync function c() {\n}\n\nreturn { a, c, x: x };\n}));\n\
             $define(\"js/main.js\", (($url) => {\n// It.\nconst { a: b, c: c } = $need(\"js/deep/a.js\");\n\
             const later = () => $load(\"js/pages/p.js\");\nreturn {  };\n}));\n$need(\"js/main.js\");\n";
        assert_eq!(join(FRAME, &source), expected);
        assert_eq!(later(FRAME, &source), ["js/pages/p.js"]);
    }

    #[test]
    fn a_page_is_one_file_without_what_the_frame_has() {
        let expected = "import { $define, $load, $need } from \"../../../joined/js/main.js\";\n\
             import * as library0 from \"../../../vendor/y.js\";\n$define(\"vendor/y.js\", () => library0);\n\
             $define(\"js/pages/p.js\", (($url) => {\nconst { a: a } = $need(\"js/deep/a.js\");\n\
             const { only: only } = $need(\"js/pages/q.js\");\nfunction P() {\n}\nreturn { default: P };\n}));\n\
             $define(\"js/pages/q.js\", (($url) => {\n\nclass Q {}\nreturn { only: $need(\"vendor/y.js\").y, Q };\n}));\n";
        assert_eq!(join("js/pages/p.js", &source), expected);
    }
}
