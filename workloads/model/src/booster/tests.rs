use proptest::{collection::vec, prelude::*};

use super::*;
use crate::fixture::BOOSTER;

const FEATURES: usize = 4;

/// A tree as one draws it, to be written as LightGBM would and walked as its definition says.
#[derive(Clone, Debug)]
enum Drawn {
    Leaf { value: f64, rows: u32 },
    Split { feature: usize, threshold: f64, decision: u8, left: Box<Drawn>, right: Box<Drawn> },
}

impl Drawn {
    fn rows(&self) -> u32 {
        match self {
            Self::Leaf { rows, .. } => *rows,
            Self::Split { left, right, .. } => left.rows() + right.rows(),
        }
    }

    /// The mean of the leaves while only the features in `known` are known.
    fn expected(&self, row: &[f64], known: usize) -> f64 {
        let Self::Split { feature, left, right, .. } = self else { return self.leaf() };
        if known & (1 << feature) != 0 {
            return if self.goes_left(row) { left.expected(row, known) } else { right.expected(row, known) };
        }
        let share = |side: &Self| f64::from(side.rows()) / f64::from(self.rows()) * side.expected(row, known);
        share(left) + share(right)
    }

    fn leaf(&self) -> f64 {
        if let Self::Leaf { value, .. } = self { *value } else { f64::NAN }
    }

    fn goes_left(&self, row: &[f64]) -> bool {
        let Self::Split { feature, threshold, decision, .. } = self else { return false };
        let (value, default_left) = (row[*feature], decision & 2 != 0);
        match decision >> 2 {
            1 if value.is_nan() || value == 0.0 => default_left,
            2 if value.is_nan() => default_left,
            _ if value.is_nan() => 0.0 <= *threshold,
            _ => value <= *threshold,
        }
    }

    /// Shapley's definition: the mean of what a feature adds, over all orders in which features become known.
    fn shapley(&self, row: &[f64], feature: usize) -> f64 {
        let factorial = |n: u32| (1..=n).map(f64::from).product::<f64>();
        let all = FEATURES as u32;
        let without = (0_usize..1 << FEATURES).filter(|known| known & (1 << feature) == 0);
        without
            .map(|known| {
                let before = known.count_ones();
                let orders = factorial(before) * factorial(all - before - 1) / factorial(all);
                orders * (self.expected(row, known | 1 << feature) - self.expected(row, known))
            })
            .sum()
    }

    fn write(&self, columns: &mut Columns) -> i32 {
        match self {
            Self::Leaf { value, rows } => {
                columns.leaves.push((*value, *rows));
                -(columns.leaves.len() as i32)
            }
            Self::Split { feature, threshold, decision, left, right } => {
                let at = columns.nodes.len();
                columns.nodes.push((*feature, *threshold, *decision, 0, 0, self.rows()));
                let (left, right) = (left.write(columns), right.write(columns));
                (columns.nodes[at].3, columns.nodes[at].4) = (left, right);
                at as i32
            }
        }
    }
}

#[derive(Default)]
struct Columns {
    nodes: Vec<(usize, f64, u8, i32, i32, u32)>,
    leaves: Vec<(f64, u32)>,
}

fn join<T: ToString>(values: impl Iterator<Item = T>) -> String {
    values.map(|value| value.to_string()).collect::<Vec<_>>().join(" ")
}

fn text(trees: &[Drawn]) -> String {
    let mut text = format!(
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx={}\n\
         objective=binary sigmoid:1\ntree_sizes={}\n\n",
        FEATURES - 1,
        join(trees.iter().map(|_| 1)),
    );
    for (index, tree) in trees.iter().enumerate() {
        let mut columns = Columns::default();
        tree.write(&mut columns);
        let Columns { nodes, leaves } = columns;
        text += &format!(
            "Tree={index}\nnum_leaves={}\nnum_cat=0\nsplit_feature={}\nthreshold={}\ndecision_type={}\nleft_child={}\n\
             right_child={}\nleaf_value={}\nleaf_count={}\ninternal_count={}\nis_linear=0\nshrinkage=1\n\n\n",
            leaves.len(),
            join(nodes.iter().map(|node| node.0)),
            join(nodes.iter().map(|node| node.1)),
            join(nodes.iter().map(|node| node.2)),
            join(nodes.iter().map(|node| node.3)),
            join(nodes.iter().map(|node| node.4)),
            join(leaves.iter().map(|leaf| leaf.0)),
            join(leaves.iter().map(|leaf| leaf.1)),
            join(nodes.iter().map(|node| node.5)),
        );
    }
    text + "end of trees\n"
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let leaf = (-2.0_f64..2.0, 1_u32..500).prop_map(|(value, rows)| Drawn::Leaf { value, rows });
    leaf.prop_recursive(6, 24, 2, |side| {
        let decision = prop_oneof![Just(0_u8), Just(2), Just(4), Just(6), Just(8), Just(10)];
        (0..FEATURES, -1.5_f64..1.5, decision, side.clone(), side).prop_map(
            |(feature, threshold, decision, left, right)| Drawn::Split {
                feature,
                threshold,
                decision,
                left: Box::new(left),
                right: Box::new(right),
            },
        )
    })
}

fn row() -> impl Strategy<Value = Vec<f64>> {
    vec(prop_oneof![4 => -2.0_f64..2.0, 1 => Just(0.0), 1 => Just(f64::NAN)], FEATURES)
}

proptest! {
    #[test]
    fn contributions_are_shapley_values(trees in vec(drawn(), 1..4), row in row()) {
        let booster = Booster::parse(&text(&trees)).unwrap();
        let mut ours = vec![0.0; FEATURES];
        booster.contributions(&row, &mut ours);
        for (feature, ours) in ours.iter().enumerate() {
            let theirs: f64 = trees.iter().map(|tree| tree.shapley(&row, feature)).sum();
            prop_assert!((ours - theirs).abs() < 1e-9, "feature {}: {} is not {}", feature, ours, theirs);
        }
        let margin: f64 = trees.iter().map(|tree| tree.expected(&row, usize::MAX)).sum();
        prop_assert_eq!(booster.margin(&row), margin);
        prop_assert!((booster.base() + ours.iter().sum::<f64>() - margin).abs() < 1e-9);
    }

    #[test]
    fn a_damaged_text_is_an_error_or_evaluates(
        trees in vec(drawn(), 1..3),
        row in row(),
        at in any::<prop::sample::Index>(),
        length in 0_usize..12,
        patch in "[-0-9a-z=. \n]{0,8}",
    ) {
        let mut text = text(&trees);
        let start = at.index(text.len());
        text.replace_range(start..(start + length).min(text.len()), &patch);
        if let Ok(booster) = Booster::parse(&text) {
            let mut sums = vec![0.0; booster.features()];
            booster.contributions(&row, &mut sums);
            let _ = booster.margin(&row);
        }
    }

    #[test]
    fn a_cut_text_is_an_error(trees in vec(drawn(), 1..3), at in any::<prop::sample::Index>()) {
        let text = text(&trees);
        let end = at.index(text.len() - "\n".len());
        prop_assert!(Booster::parse(&text[..end]).is_err());
    }

    #[test]
    fn any_text_is_an_error(text in any::<String>()) {
        prop_assert!(Booster::parse(&text).is_err());
        let _ = Booster::parse(&format!("tree\nversion=v4\n{text}"));
    }
}

#[track_caller]
fn refused(from: &str, to: &str, expected: &str) {
    assert!(BOOSTER.contains(from), "{from}");
    assert_eq!(Booster::parse(&BOOSTER.replacen(from, to, 1)).unwrap_err().to_string(), expected);
}

#[test]
fn faults_name_their_place() {
    assert!(Booster::parse(BOOSTER).is_ok());
    refused("tree\n", "forest\n", "booster, line 1: this is not LightGBM's text format");
    refused("=v4", "=v9", "booster, line 2: `version` must be v3 or v4");
    refused("num_class=1", "num_class=3", "booster, line 3: several classes are not supported: train without them");
    refused("binary sigmoid:1", "regression", "booster, line 7: `objective` must be `binary sigmoid:1`");
    refused(
        "num_cat=0",
        "num_cat=1",
        "booster, line 14, tree 0: categorical splits are not supported: train without them",
    );
    refused(
        "is_linear=0",
        "is_linear=1",
        "booster, line 23, tree 0: linear trees are not supported: train without them",
    );
    refused(
        "decision_type=10",
        "decision_type=1",
        "booster, line 17, tree 0: categorical splits are not supported: train without them",
    );
    refused(
        "split_feature=0",
        "split_feature=7",
        "booster, line 15, tree 0: `split_feature` must be within max_feature_idx",
    );
    refused("threshold=15", "threshold=nan", "booster, line 16, tree 0: `threshold` must be numbers");
    refused("leaf_value=-0.5 0.75", "leaf_value=-0.5", "booster, line 20, tree 0: `leaf_value` must be 2 numbers");
    refused(
        "leaf_count=60 40",
        "leaf_count=100 0",
        "booster, line 21, tree 0: `leaf_count` must be at least 1 everywhere",
    );
    refused(
        "internal_count=100",
        "internal_count=50",
        "booster, line 22, tree 0: `internal_count` must be at least that of each child",
    );
    refused("left_child=-1\n", "", "booster, line 12, tree 0: there is no `left_child`");
    refused("num_leaves=2", "num_leaves=2000000", "booster, line 13, tree 0: more than 1000000 leaves");
    refused("Tree=1", "Tree=5", "booster, line 26, tree 1: `Tree=` was expected: the text is cut off or joined");
}

#[test]
fn children_that_make_no_tree_are_refused() {
    refused(
        "left_child=-1",
        "left_child=-2",
        "booster, line 18, tree 0: the children do not make a tree: leaf 1 is reached twice or never",
    );
    refused("left_child=-1", "left_child=-9", "booster, line 18, tree 0: `left_child` must be within the tree");
    refused("left_child=-1", "left_child=1", "booster, line 18, tree 0: `left_child` must be within the tree");
    let circle = Booster::parse(&BOOSTER.replacen("left_child=-1", "left_child=0", 1));
    assert!(circle.is_err(), "a path that returns to where it came from");
}

#[test]
fn a_tree_may_be_a_single_leaf() {
    let booster = Booster::parse(&text(&[Drawn::Leaf { value: -0.75, rows: 10 }])).unwrap();
    let mut sums = [0.0; FEATURES];
    booster.contributions(&[1.0; FEATURES], &mut sums);
    assert_eq!((booster.margin(&[1.0; FEATURES]), booster.base(), sums), (-0.75, -0.75, [0.0; FEATURES]));
}

#[test]
fn a_path_as_deep_as_allowed_is_walked_and_no_deeper() {
    let chain = |depth: usize| {
        (0..depth).fold(Drawn::Leaf { value: 1.0, rows: 1 }, |rest, level| Drawn::Split {
            feature: level % FEATURES,
            threshold: 0.0,
            decision: 10,
            left: Box::new(rest),
            right: Box::new(Drawn::Leaf { value: level as f64 / 64.0, rows: 3 }),
        })
    };
    let booster = Booster::parse(&text(&[chain(64)])).unwrap();
    let mut sums = [0.0; FEATURES];
    booster.contributions(&[-1.0; FEATURES], &mut sums);
    assert!((booster.base() + sums.iter().sum::<f64>() - booster.margin(&[-1.0; FEATURES])).abs() < 1e-9);
    assert!(Booster::parse(&text(&[chain(65)])).unwrap_err().to_string().contains("more than 64 splits"));
}

#[test]
fn stages_are_the_margins_of_the_first_trees() {
    let booster = Booster::parse(BOOSTER).unwrap();
    let row = [0.3, -1.0, f64::NAN, 2.0];
    let stages: Vec<f64> = booster.staged(&row).collect();
    assert_eq!(stages.len(), booster.trees.len());
    assert_eq!(stages.last().map(|margin| margin.to_bits()), Some(booster.margin(&row).to_bits()));
    assert_eq!(stages[0].to_bits(), booster.trees[0].evaluate(&row).to_bits());
}
