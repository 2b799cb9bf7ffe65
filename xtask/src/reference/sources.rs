//! The sources that the reference is made from: types, traits and methods by name. It writes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprLit, ImplItem, ImplItemFn, Item, ItemImpl, Lit, Meta, Stmt, Visibility};

use super::links::names;
use crate::Result;

/// Of the border's own crate, what authors meet.
const BORDER: &[&str] = &["call.rs", "ask.rs", "header.rs"];

/// One type or trait, and the module that it stands in.
pub(super) struct Source {
    pub(super) module: String,
    /// Its place among all.
    pub(super) order: usize,
    pub(super) public: bool,
    pub(super) item: Item,
}

/// All of them.
#[derive(Default)]
pub(super) struct Sources {
    items: BTreeMap<String, Source>,
    methods: BTreeMap<String, Vec<ImplItemFn>>,
    literals: BTreeMap<String, String>,
}

impl Sources {
    /// Reads the crates of the border below the project's `root`.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let mut files = rust_files(&root.join("crates/api/src"))?;
        files.extend(BORDER.iter().map(|file| root.join("crates/abi/src").join(file)));
        let mut sources = Self::default();
        for file in files {
            let text =
                fs::read_to_string(&file).map_err(|e| format!("cannot read {}: {e}", file.display()))?;
            let module = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            sources.take(&module, &text).map_err(|e| format!("{}: {e}", file.display()))?;
        }
        Ok(sources)
    }

    /// Adds the text of one module.
    pub(super) fn take(&mut self, module: &str, text: &str) -> Result<()> {
        for item in syn::parse_file(text)?.items {
            match item {
                Item::Impl(block) if block.trait_.is_none() => self.take_methods(block),
                Item::Fn(function) => {
                    if let [Stmt::Expr(Expr::Lit(ExprLit { lit, .. }), None)] = &function.block.stmts[..] {
                        self.literals.insert(function.sig.ident.to_string(), text_of(lit));
                    }
                }
                Item::Const(constant) => {
                    self.literals.insert(constant.ident.to_string(), text_of(&constant.expr));
                }
                item => self.take_item(module, item),
            }
        }
        Ok(())
    }

    fn take_item(&mut self, module: &str, item: Item) {
        let Some((name, public)) = named(&item) else { return };
        let order = self.items.len();
        let source = Source { module: module.to_owned(), order, public, item };
        if public {
            self.items.insert(name, source);
        } else {
            self.items.entry(name).or_insert(source);
        }
    }

    fn take_methods(&mut self, block: ItemImpl) {
        let name = names(&block.self_ty).into_iter().next();
        let methods = block.items.into_iter().filter_map(|item| match item {
            ImplItem::Fn(method) if matches!(method.vis, Visibility::Public(_)) => Some(method),
            _ => None,
        });
        self.methods.entry(name.unwrap_or_default()).or_default().extend(methods);
    }

    pub(super) fn get(&self, name: &str) -> Option<&Source> {
        self.items.get(name)
    }

    /// The public methods of a type, beside those of traits.
    pub(super) fn methods(&self, name: &str) -> &[ImplItemFn] {
        self.methods.get(name).map_or(&[], Vec::as_slice)
    }

    /// What a constant is, or a function that only returns a literal, as it stands in the source.
    pub(super) fn literal(&self, name: &str) -> Option<&str> {
        self.literals.get(name).map(String::as_str)
    }
}

/// A type's or trait's name, and whether it is public.
fn named(item: &Item) -> Option<(String, bool)> {
    let (name, vis) = match item {
        Item::Struct(it) => (&it.ident, &it.vis),
        Item::Enum(it) => (&it.ident, &it.vis),
        Item::Type(it) => (&it.ident, &it.vis),
        Item::Trait(it) => (&it.ident, &it.vis),
        _ => return None,
    };
    Some((name.to_string(), matches!(vis, Visibility::Public(_))))
}

fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|e| format!("cannot read {}: {e}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// What is written there, letter by letter.
pub(super) fn text_of(piece: &impl Spanned) -> String {
    piece.span().source_text().unwrap_or_default()
}

/// The documentation, without the blank before each line.
pub(super) fn doc(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    lines.map(|line| line.strip_prefix(' ').unwrap_or(&line).to_owned()).collect::<Vec<_>>().join("\n")
}
