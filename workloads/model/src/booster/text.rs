//! Reads LightGBM's text format: a header of `key=value` lines, then a section for each tree.
//!
//! Everything that evaluation relies on is checked here, and sizes are bounded, so that no text can make the server
//! work, or remember, without end.

mod section;

use thiserror::Error;

use self::section::{Lines, Section};
use super::tree::{Child, Leaf, Missing, Node, Tree};

/// Bounds far above what is trained here.
const MOST_TREES: usize = 10_000;
const MOST_LEAVES: usize = 1_000_000;
const MOST_FEATURES: usize = 100_000;
const MOST_DEPTH: usize = 64;

/// What is wrong with a booster's text, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("booster, line {line}{}: {fault}", .tree.map_or_else(String::new, |tree| format!(", tree {tree}")))]
pub struct BoosterError {
    /// The line, from 1.
    pub line: usize,
    /// The tree, from 0 as LightGBM counts; none in the header.
    pub tree: Option<usize>,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a booster's text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// The first line is not `tree`.
    #[error("this is not LightGBM's text format")]
    Format,
    /// The text ends too early, or holds fewer or more trees than its header says.
    #[error("`{0}` was expected: the text is cut off or joined")]
    Expected(&'static str),
    /// A line that has to be there is not.
    #[error("there is no `{0}`")]
    Absent(&'static str),
    /// A value that cannot be read.
    #[error("`{key}` must be {expected}")]
    Value {
        /// The line's key.
        key: &'static str,
        /// What it must be.
        expected: String,
    },
    /// Something LightGBM can do, but this evaluator does not.
    #[error("{0} are not supported: train without them")]
    Unsupported(&'static str),
    /// A bound on sizes.
    #[error("more than {1} {0}")]
    TooMany(&'static str, usize),
    /// Children do not make a tree.
    #[error("the children do not make a tree: leaf {0} is reached twice or never")]
    Leaf(u32),
}

pub(super) fn parse(text: &str) -> Result<(usize, Vec<Tree>), BoosterError> {
    let mut lines = Lines::new(text);
    if lines.next().map(|(_, line)| line) != Some("tree") {
        return Err(lines.fault(None, Fault::Format));
    }
    let header = lines.section(None)?;
    let (features, count) = read_header(&header)?;
    let mut trees = Vec::with_capacity(count);
    let mut leaves = 0;
    for index in 0..count {
        let section = lines.tree(index)?;
        let tree = read_tree(&section, features, MOST_LEAVES - leaves)?;
        leaves += tree.leaves.len();
        trees.push(tree);
    }
    lines.end()?;
    Ok((features, trees))
}

/// How many features and how many trees there are.
fn read_header(header: &Section) -> Result<(usize, usize), BoosterError> {
    if !matches!(header.text("version")?, "v3" | "v4") {
        return Err(header.value("version", "v3 or v4"));
    }
    if header.text("num_class")? != "1" || header.text("num_tree_per_iteration")? != "1" {
        return Err(header.unsupported("num_class", "several classes"));
    }
    if header.find("average_output").is_some() {
        return Err(header.unsupported("average_output", "random forests"));
    }
    if !matches!(header.text("objective")?, "binary sigmoid:1" | "binary") {
        return Err(header.value("objective", "`binary sigmoid:1`"));
    }
    let last: usize = header.number("max_feature_idx")?;
    let trees = header.text("tree_sizes")?.split_ascii_whitespace().count();
    header.at_most("max_feature_idx", "features", last, MOST_FEATURES - 1)?;
    header.at_most("tree_sizes", "trees", trees, MOST_TREES)?;
    Ok((last + 1, trees))
}

fn read_tree(section: &Section, features: usize, most_leaves: usize) -> Result<Tree, BoosterError> {
    let leaves: usize = section.number("num_leaves")?;
    section.at_most("num_leaves", "leaves", leaves, most_leaves)?;
    if section.number::<u32>("num_cat")? > 0 {
        return Err(section.unsupported("num_cat", "categorical splits"));
    }
    if section.find("is_linear").is_some() && section.number::<u32>("is_linear")? > 0 {
        return Err(section.unsupported("is_linear", "linear trees"));
    }
    if leaves == 0 {
        return Err(section.value("num_leaves", "at least 1"));
    }
    let leaves = read_leaves(section, leaves)?;
    let nodes = if leaves.len() > 1 { read_nodes(section, leaves.len() - 1, features)? } else { Vec::new() };
    let depth = measure(&nodes, leaves.len()).map_err(|fault| section.fault("left_child", fault))?;
    let tree = Tree { nodes, leaves, depth };
    check_rows(section, &tree)?;
    Ok(tree)
}

fn read_leaves(section: &Section, count: usize) -> Result<Vec<Leaf>, BoosterError> {
    let values = section.finite("leaf_value", count)?;
    // The only leaf of a tree needs no rows, and LightGBM writes none.
    let rows = if count > 1 { section.rows("leaf_count", count)? } else { vec![1.0] };
    Ok(values.into_iter().zip(rows).map(|(value, rows)| Leaf { value, rows }).collect())
}

fn read_nodes(section: &Section, count: usize, features: usize) -> Result<Vec<Node>, BoosterError> {
    let split: Vec<u32> = section.numbers("split_feature", count)?;
    if split.iter().any(|feature| *feature as usize >= features) {
        return Err(section.value("split_feature", "within max_feature_idx"));
    }
    let thresholds: Vec<f64> = section.numbers("threshold", count)?;
    // An infinite threshold is a split between rows with a value and those without.
    if thresholds.iter().any(|threshold| threshold.is_nan()) {
        return Err(section.value("threshold", "numbers"));
    }
    let decisions: Vec<u8> = section.numbers("decision_type", count)?;
    let left = read_children(section, "left_child", count)?;
    let right = read_children(section, "right_child", count)?;
    let rows = section.rows("internal_count", count)?;
    let node = |i: usize| {
        let (missing, default_left) = read_decision(section, decisions[i])?;
        let (threshold, feature) = (thresholds[i], split[i]);
        Ok(Node { threshold, feature, missing, default_left, left: left[i], right: right[i], rows: rows[i] })
    };
    (0..count).map(node).collect()
}

/// Bit 0: categorical, bit 1: missing values go left, bits 2 and 3: what is missing.
fn read_decision(section: &Section, bits: u8) -> Result<(Missing, bool), BoosterError> {
    if bits & 1 != 0 {
        return Err(section.unsupported("decision_type", "categorical splits"));
    }
    let missing = match bits >> 2 {
        0 => Missing::None,
        1 => Missing::Zero,
        2 => Missing::NaN,
        _ => return Err(section.value("decision_type", "a numeric decision that is known")),
    };
    Ok((missing, bits & 2 != 0))
}

/// A node's index, or −1 − the index of a leaf.
fn read_children(section: &Section, key: &'static str, nodes: usize) -> Result<Vec<Child>, BoosterError> {
    let child = |index: i32| {
        let child = if index < 0 { Child::Leaf(!index as u32) } else { Child::Node(index as u32) };
        let known = match child {
            Child::Leaf(leaf) => leaf as usize <= nodes,
            Child::Node(node) => (node as usize) < nodes,
        };
        known.then_some(child).ok_or_else(|| section.value(key, "within the tree"))
    };
    section.numbers(key, nodes)?.into_iter().map(child).collect()
}

/// The splits on the longest path, where every node and leaf is reached once.
fn measure(nodes: &[Node], leaves: usize) -> Result<usize, Fault> {
    let mut reached = vec![false; leaves];
    let mut open = vec![(if nodes.is_empty() { Child::Leaf(0) } else { Child::Node(0) }, 0)];
    let mut deepest = 0;
    while let Some((child, depth)) = open.pop() {
        deepest = deepest.max(depth);
        match child {
            _ if depth > MOST_DEPTH => return Err(Fault::TooMany("splits on one path", MOST_DEPTH)),
            Child::Leaf(leaf) if std::mem::replace(&mut reached[leaf as usize], true) => return Err(Fault::Leaf(leaf)),
            Child::Leaf(_) => {}
            Child::Node(node) => {
                let node = nodes[node as usize];
                open.extend([(node.left, depth + 1), (node.right, depth + 1)]);
            }
        }
    }
    reached.iter().position(|reached| !reached).map_or(Ok(deepest), |leaf| Err(Fault::Leaf(leaf as u32)))
}

/// No child has more rows than its parent: shares of rows are at most 1.
fn check_rows(section: &Section, tree: &Tree) -> Result<(), BoosterError> {
    let fits = |node: &Node| [node.left, node.right].iter().all(|child| tree.rows(*child) <= node.rows);
    if tree.nodes.iter().all(fits) {
        Ok(())
    } else {
        Err(section.value("internal_count", "at least that of each child"))
    }
}
