//! One tree in flat arrays.

/// Numbers this near to zero are read as zero, as LightGBM's interface does: its single-precision 1e-35.
const ZERO: f64 = 1e-35_f32 as f64;

/// Where a path goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Child {
    /// At a node.
    Node(u32),
    /// It ends.
    Leaf(u32),
}

/// What counts as no value at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// Nothing: not-a-number is taken for zero.
    None,
    /// Zero, and not-a-number, which is taken for it.
    Zero,
    /// Not-a-number.
    NaN,
}

/// One split.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Node {
    pub threshold: f64,
    pub feature: u32,
    pub missing: Missing,
    /// Where rows without a value go.
    pub default_left: bool,
    pub left: Child,
    pub right: Child,
    /// Training rows that came by.
    pub rows: f64,
}

/// One end of a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Leaf {
    pub value: f64,
    /// Training rows that ended here.
    pub rows: f64,
}

/// A tree whose children all exist and are reached by one path each.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tree {
    pub nodes: Vec<Node>,
    pub leaves: Vec<Leaf>,
    /// Splits on the longest path.
    pub depth: usize,
}

impl Node {
    /// Whether a row goes left. As LightGBM decides: what is missing first, then `<=` on doubles.
    fn goes_left(&self, row: &[f64]) -> bool {
        let value = row.get(self.feature as usize).copied().unwrap_or(f64::NAN);
        let zero = value.abs() <= ZERO || (value.is_nan() && self.missing != Missing::NaN);
        let value = if zero { 0.0 } else { value };
        let missing = match self.missing {
            Missing::None => false,
            Missing::Zero => zero,
            Missing::NaN => value.is_nan(),
        };
        if missing { self.default_left } else { value <= self.threshold }
    }

    /// Where a row goes on, and where it does not.
    pub fn decide(&self, row: &[f64]) -> (Child, Child) {
        if self.goes_left(row) { (self.left, self.right) } else { (self.right, self.left) }
    }
}

impl Tree {
    /// The first node, or the only leaf.
    pub const fn root(&self) -> Child {
        if self.nodes.is_empty() { Child::Leaf(0) } else { Child::Node(0) }
    }

    /// The value of the leaf in which a row ends.
    pub fn evaluate(&self, row: &[f64]) -> f64 {
        let mut child = self.root();
        loop {
            match child {
                Child::Node(node) => child = self.nodes[node as usize].decide(row).0,
                Child::Leaf(leaf) => return self.leaves[leaf as usize].value,
            }
        }
    }

    /// The mean of the leaves by their training rows.
    pub fn expected(&self) -> f64 {
        let Some(root) = self.nodes.first() else { return self.leaves.iter().map(|leaf| leaf.value).sum() };
        self.leaves.iter().map(|leaf| leaf.rows / root.rows * leaf.value).sum()
    }

    /// Training rows that came by.
    pub fn rows(&self, child: Child) -> f64 {
        match child {
            Child::Node(node) => self.nodes[node as usize].rows,
            Child::Leaf(leaf) => self.leaves[leaf as usize].rows,
        }
    }
}
