//! Exact path-dependent SHAP values (Lundberg, Erion & Lee 2018, "Consistent Individualized Feature Attribution for
//! Tree Ensembles", Algorithm 2), by plain recursion; LightGBM's own contributions follow the same algorithm.
//!
//! Each step of a path remembers which share of the training rows goes on when its feature is not known (`unknown`),
//! whether the row itself goes on when it is (`known`), and with which weight orderings of the features pass through.

use super::tree::{Child, Tree};

/// One distinct feature of a path.
#[derive(Clone, Copy)]
struct Step {
    feature: u32,
    unknown: f64,
    known: f64,
    weight: f64,
}

/// What the root is entered by: no feature, everybody.
const ENTRY: Step = Step { feature: u32::MAX, unknown: 1.0, known: 1.0, weight: 0.0 };

/// Adds the SHAP values of all trees to `sums`.
pub(super) fn add(trees: &[Tree], row: &[f64], sums: &mut [f64]) {
    let deepest = trees.iter().map(|tree| tree.depth).max().unwrap_or_default();
    // A path at depth d has at most d + 1 steps, and each depth keeps its own.
    let mut paths = vec![ENTRY; (deepest + 1) * (deepest + 2) / 2];
    for tree in trees.iter().filter(|tree| tree.depth > 0) {
        Walk { tree, row, sums }.visit(tree.root(), &mut paths, 0, ENTRY);
    }
}

struct Walk<'a> {
    tree: &'a Tree,
    row: &'a [f64],
    sums: &'a mut [f64],
}

impl Walk<'_> {
    /// Goes on from a path of `length` steps, the first of `paths`, by one more step.
    fn visit(&mut self, child: Child, paths: &mut [Step], length: usize, step: Step) {
        let (before, paths) = paths.split_at_mut(length);
        paths[..length].copy_from_slice(before);
        paths[length] = step;
        extend(&mut paths[..=length]);
        match child {
            Child::Leaf(leaf) => self.credit(&paths[..=length], self.tree.leaves[leaf as usize].value),
            Child::Node(node) => self.fork(node, paths, length + 1),
        }
    }

    /// A feature that the path has met before is met once: its shares multiply.
    fn fork(&mut self, index: u32, paths: &mut [Step], mut length: usize) {
        let node = self.tree.nodes[index as usize];
        let (hot, cold) = node.decide(self.row);
        let met = paths[..length].iter().position(|step| step.feature == node.feature);
        let (unknown, known) = met.map_or((1.0, 1.0), |at| (paths[at].unknown, paths[at].known));
        if let Some(at) = met {
            unwind(&mut paths[..length], at);
            length -= 1;
        }
        for (child, known) in [(hot, known), (cold, 0.0)] {
            let unknown = self.tree.rows(child) / node.rows * unknown;
            self.visit(child, paths, length, Step { feature: node.feature, unknown, known, weight: 0.0 });
        }
    }

    /// Each feature of the path gets its part of the leaf.
    fn credit(&mut self, path: &[Step], leaf: f64) {
        for (at, step) in path.iter().enumerate().skip(1) {
            if let Some(sum) = self.sums.get_mut(step.feature as usize) {
                *sum += unwound_sum(path, at) * (step.known - step.unknown) * leaf;
            }
        }
    }
}

/// Weighs the path anew after its last step was put on.
fn extend(path: &mut [Step]) {
    let last = path.len() - 1;
    let Step { unknown, known, .. } = path[last];
    let steps = path.len() as f64;
    path[last].weight = if last == 0 { 1.0 } else { 0.0 };
    for i in (0..last).rev() {
        let weight = path[i].weight;
        path[i + 1].weight += known * weight * (i + 1) as f64 / steps;
        path[i].weight = unknown * weight * (last - i) as f64 / steps;
    }
}

/// Takes the step at `at` out again: the inverse of [`extend`]. The path's last place is then free.
fn unwind(path: &mut [Step], at: usize) {
    let last = path.len() - 1;
    let mut weights = Unwinding::of(path, at);
    for i in (0..last).rev() {
        path[i].weight = weights.next(path[i].weight, i);
    }
    for i in at..last {
        let Step { feature, unknown, known, .. } = path[i + 1];
        path[i] = Step { feature, unknown, known, weight: path[i].weight };
    }
}

/// The sum of the weights that [`unwind`] would leave.
fn unwound_sum(path: &[Step], at: usize) -> f64 {
    let mut weights = Unwinding::of(path, at);
    (0..path.len() - 1).rev().map(|i| weights.next(path[i].weight, i)).sum()
}

/// The weights of a path without one of its steps, from the last to the first.
struct Unwinding {
    unknown: f64,
    known: f64,
    steps: usize,
    carried: f64,
}

impl Unwinding {
    fn of(path: &[Step], at: usize) -> Self {
        let Step { unknown, known, .. } = path[at];
        Self { unknown, known, steps: path.len(), carried: path[path.len() - 1].weight }
    }

    fn next(&mut self, weight: f64, i: usize) -> f64 {
        let steps = self.steps as f64;
        let rest = (self.steps - 1 - i) as f64;
        if self.known == 0.0 {
            return weight * steps / (self.unknown * rest);
        }
        let unwound = self.carried * steps / ((i + 1) as f64 * self.known);
        self.carried = weight - unwound * self.unknown * rest / steps;
        unwound
    }
}
