//! `windlass members`

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    client::{Address, Answer, Client, Nothing},
    context::Context,
    duration,
    failure::{Failure, Result},
    input,
    output::{Show, moment, note},
};

/// The people in the organization, and who is invited
#[derive(Debug, Subcommand)]
pub(crate) enum Members {
    /// List the members.
    List,
    /// Set what a member may do.
    SetRole {
        /// The member, by e-mail address or id.
        member: String,
        /// `owner`, `admin`, `member` or `viewer`.
        role: String,
    },
    /// Remove a member. Their keys and tokens here end at once, and for good.
    Remove {
        /// The member, by e-mail address or id.
        member: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Invite somebody. The link is printed this once: hand it on yourself.
    Invite(Invite),
    /// List the invitations, without their tokens.
    Invitations,
    /// Take an invitation back.
    RevokeInvitation {
        /// Its id.
        invitation: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Invite {
    /// Their e-mail address: nobody else can accept.
    email: String,
    /// `owner`, `admin`, `member` or `viewer`.
    #[arg(long, default_value = "member")]
    role: String,
    /// After how long it is worth nothing any more, such as `12h`; a week by default.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    expires_in: Option<u64>,
}

/// A member, as far as this program looks at them.
#[derive(Debug, Clone, Deserialize)]
struct Member {
    user_id: String,
    name: String,
    email: Option<String>,
    role: String,
}

/// An invitation, as far as this program looks at it.
#[derive(Debug, Clone, Deserialize)]
struct Invitation {
    id: String,
    email: String,
    role: String,
    status: String,
    expires_at: String,
    /// Where its addressee accepts it, when it has just been made.
    url: Option<String>,
}

/// Who calls, as far as this command looks at it.
#[derive(Debug, Deserialize)]
struct Me {
    organizations: Vec<Organization>,
}

#[derive(Debug, Deserialize)]
struct Organization {
    id: String,
}

impl Members {
    pub(super) fn run(self, context: &Context) -> Result<()> {
        let client = context.client()?;
        let organization = organization_of(client)?;
        let members = Address::of(["organizations", &organization, "members"]);
        let invitations = Address::of(["organizations", &organization, "invitations"]);
        let member_at = |id: &str| Address::of(["organizations", &organization, "members", id]);
        match self {
            Self::List => context.output.many(&client.list::<Member>(&members)?),
            Self::SetRole { member, role } => {
                let id = find(client, &members, &member)?;
                let body = json!({ "role": role });
                context.output.one(&client.patch::<Member>(&member_at(&id), &body)?)
            }
            Self::Remove { member, yes } => {
                input::confirm(&format!("Remove {member}, with all their keys and tokens?"), yes)?;
                let id = find(client, &members, &member)?;
                client.delete::<Nothing>(&member_at(&id))?;
                context.output.done(format_args!("removed {member}"))
            }
            Self::Invite(invite) => {
                let made: Answer<Invitation> = client.post(&invitations, &invite.body())?;
                context.output.one(&made)?;
                if !context.output.is_json() {
                    note("nobody is written to: give them the link yourself");
                }
                Ok(())
            }
            Self::Invitations => context.output.many(&client.list::<Invitation>(&invitations)?),
            Self::RevokeInvitation { invitation } => {
                client.delete::<Nothing>(&Address::of([
                    "organizations",
                    &organization,
                    "invitations",
                    &invitation,
                ]))?;
                context.output.done(format_args!("revoked {invitation}"))
            }
        }
    }
}

impl Invite {
    fn body(self) -> Value {
        let Self { email, role, expires_in } = self;
        let mut body = json!({ "email": email, "role": role });
        if let Some(seconds) = expires_in {
            body["expires_in_seconds"] = seconds.into();
        }
        body
    }
}

/// The organization that the credential opens.
fn organization_of(client: &Client) -> Result<String> {
    let me: Answer<Me> = client.get(&Address::of(["auth", "me"]))?;
    let first = me.value.organizations.into_iter().next();
    first.map(|found| found.id).ok_or_else(|| Failure::NotFound("organization".to_owned()))
}

/// A member's id, by that or by their e-mail address.
fn find(client: &Client, members: &Address, named: &str) -> Result<String> {
    if !named.contains('@') {
        return Ok(named.to_owned());
    }
    let all = client.list::<Member>(members)?;
    let is_meant =
        |member: &&Member| member.email.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(named));
    let found = all.iter().map(|answer| &answer.value).find(is_meant);
    let found = found.ok_or_else(|| Failure::NotFound(format!("member {named}")))?;
    Ok(found.user_id.clone())
}

impl Show for Member {
    const COLUMNS: &'static [&'static str] = &["Name", "E-mail", "Role", "Id"];

    fn cells(&self) -> Vec<String> {
        let Self { user_id, name, email, role } = self;
        vec![name.clone(), email.clone().unwrap_or_default(), role.clone(), user_id.clone()]
    }
}

impl Show for Invitation {
    const COLUMNS: &'static [&'static str] = &["E-mail", "Role", "Status", "Expires", "Id"];

    fn cells(&self) -> Vec<String> {
        let Self { id, email, role, status, expires_at, .. } = self;
        vec![email.clone(), role.clone(), status.clone(), moment(expires_at), id.clone()]
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        vec![("Link", self.url.clone().unwrap_or_default())]
    }
}
