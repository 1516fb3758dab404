//! Commands from other terminals.

use super::session::Session;
use crate::faults::{Answer, Call, Request, parse_groups, show_groups};
use crate::network::{NodeCondition, is_connected};

impl Session {
    /// Executes a command from another terminal. Returns whether to stop the network.
    pub(super) async fn serve(&mut self, call: Call) -> bool {
        let is_stop = call.request == Request::Stop;
        let answer = match self.execute(call.request).await {
            Ok(answer) => answer,
            Err(error) => Answer::Error { error },
        };
        if let Answer::Done { done } = &answer {
            self.note(done.clone());
        }
        // The caller may be gone.
        let _ = call.answer.send(answer);
        is_stop
    }

    /// Executes a command. The error is a sentence for its author.
    async fn execute(&mut self, request: Request) -> Result<Answer, String> {
        let done = match request {
            Request::Status => return Ok(Answer::Status { status: Box::new(self.view.clone()) }),
            Request::Stop => "the network is stopping".to_owned(),
            Request::Kill { node } => {
                let index = self.place(&node)?;
                let name = self.view.nodes[index].name.clone();
                if !self.network.kill(index).await {
                    return Err(format!("node {name} does not run"));
                }
                format!("node {name} was killed")
            }
            Request::Restart { node } => {
                let index = self.place(&node)?;
                self.start_node(index).await?
            }
            Request::Partition { groups } => {
                let groups = parse_groups(&groups, self.network.plan()).map_err(|error| error.to_string())?;
                self.network.partition(&groups);
                let plan = self.network.plan();
                let shown = show_groups(&groups, plan);
                let split = groups.iter().any(|group| !is_connected(group, &plan.lines));
                self.view.partition = Some(shown.clone());
                let warning = if split { "; one group is not connected inside, so it splits further" } else { "" };
                format!("partition {shown}{warning}")
            }
            Request::Heal => {
                self.network.heal();
                self.view.partition = None;
                "all lines are restored".to_owned()
            }
        };
        Ok(Answer::Done { done })
    }

    /// Starts a node, and adds a note.
    pub(super) async fn start_node(&mut self, index: usize) -> Result<String, String> {
        let name = self.view.nodes[index].name.clone();
        let before = self.network.condition(index);
        self.network.restart(index).await.map_err(|error| node_core::sentence(&error))?;
        let verb = if before == NodeCondition::Waiting { "joined" } else { "was started again" };
        Ok(format!("node {name} {verb}"))
    }

    fn place(&self, node: &str) -> Result<usize, String> {
        let names = || self.view.nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>().join(", ");
        self.network.plan().node(node).ok_or_else(|| format!("there is no node {node}; the nodes are {}", names()))
    }
}
