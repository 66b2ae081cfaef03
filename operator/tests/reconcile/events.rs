//! What is told to people: again where it happens again, and apart where it is news.

use serde_json::{Value, json};
use underwriter_crds::LoanModel;
use underwriter_operator::events::{Notice, publish};

use crate::api_server::{Cluster, MODEL};

#[tokio::test]
async fn news_of_another_version_is_an_event_of_its_own() {
    let cluster = Cluster::with_model();
    let (context, model) = (cluster.context(), serde_json::from_value::<LoanModel>(cluster.get(MODEL)).unwrap());
    for note in ["v1 decides", "v2 decides", "v2 decides"] {
        publish(&context, &model, vec![Notice::normal("Promoted", note)]).await;
    }
    let told: Vec<Value> = cluster.all("events").into_iter().map(|(_, event)| event).collect();
    let seen: Vec<_> = told.iter().map(|event| (&event["note"], &event["series"]["count"])).collect();
    assert_eq!(seen, [(&json!("v1 decides"), &Value::Null), (&json!("v2 decides"), &json!(2))]);
}
