//! Tests that the number of documents is that of the oracle, in each storage.

use super::filters::Tree;
use super::{By, World, lists};

#[tokio::test]
async fn counts_of_random_filters_match_the_oracle() {
    let World {
        pool,
        oracle,
        mut chance,
    } = World::new(23).await;
    for round in 0..200 {
        let tree = Tree::random(&mut chance, 3);
        let expected = oracle.keys(&tree).len() as u64;
        let list = lists().into_iter().nth(round % 3).unwrap();
        let list = list.filter(tree.filter());
        assert_eq!(list.count(&pool).await.unwrap(), expected, "{tree:?}");
        // What is read of the list makes no difference.
        let order = By::some(&mut chance);
        let part = By::list(list, &order).limit(3).offset(round as u64);
        let part = part.only(["id"]).max_bytes(1);
        assert_eq!(part.count(&pool).await.unwrap(), expected, "{tree:?}");
    }
}
