//! From layers to a tree. Whoever writes it can take nothing back, so all layers are read twice: first to find out what is
//! left in the end, then to write that.

use std::io::Read;
use std::path::PathBuf;

use qchroot_plugin::{Node, NodeKind, Result, Work};

use crate::layer::Layer;
use crate::union::Union;

/// Fills the staging directory with what the layers make, the lowest first.
pub(crate) fn apply(layers: &[Layer], work: &mut dyn Work) -> Result<()> {
    let mut union = Union::new();
    for (n, layer) in layers.iter().enumerate() {
        layer.each("checking", work, &mut |_, entry, node, _| union.add((n, entry), &node))?;
    }
    let mut names = union.names();
    drop(union);
    // For images that have no top directory; one that does sets its own mode.
    work.tree().write(&Node::directory("."), &mut std::io::empty())?;
    for (n, layer) in layers.iter().enumerate() {
        layer.each("unpacking", work, &mut |work, entry, node, content| match names.remove(&(n, entry)) {
            Some(names) => write(node, names, content, work),
            None => Ok(()),
        })?;
    }
    work.tree().finish()
}

/// Writes a file under its first name, and links the others to it.
fn write(mut node: Node, names: Vec<PathBuf>, content: &mut dyn Read, work: &mut dyn Work) -> Result<()> {
    let mut names = names.into_iter();
    let Some(first) = names.next() else { return Ok(()) };
    node.path = first.clone();
    work.tree().write(&node, content)?;
    names.try_for_each(|path| {
        let kind = NodeKind::HardLink { to: first.clone() };
        work.tree().write(&Node { path, kind, ..node.clone() }, &mut std::io::empty())
    })
}
