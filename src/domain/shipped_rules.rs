//! The replies of known providers, as they document them.
//!
//! Only replies that the code alone would misread are here. Postmark has none: it takes what
//! it will not deliver, and tells by webhook. Direct delivery to large receivers is not what
//! fieldpost is for, but a relay may pass their words on.

use super::rules::Action::{self, PauseCampaign, PauseRelay, Plain, RetryNow, Slow};
use super::span::Span;

const MINUTES_10: Action = PauseRelay(Span::of_minutes(10));
const HOUR: Action = PauseRelay(Span::of_minutes(60));

/// Code, text, and what to do, in the order in which they are asked.
pub(super) const SHIPPED: &[(Option<&str>, &str, Action)] = &[
    // Amazon SES: docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html
    (Some("454"), "Daily message quota exceeded", HOUR),
    (Some("454"), "Maximum sending rate exceeded", Slow),
    (Some("454"), "Throttling failure", Slow),
    // Amazon SES: repost.aws/knowledge-center/ses-554-400-message-rejected-error
    (Some("554"), "Email address is not verified", PauseCampaign),
    // Exchange Online: learn.microsoft.com/en-us/exchange/troubleshoot/send-emails/smtp-submission-improvements
    (Some("432 4.3.2"), "oncurrent connection", Slow),
    (None, "sender thread limit exceeded", Slow),
    (Some("554 5.2.0"), "SubmissionQuotaExceeded", HOUR),
    (Some("554 5.2.2"), "STOREDRV.Submission", PauseCampaign),
    // Exchange Online: learn.microsoft.com/en-us/Exchange/mail-flow-best-practices/continuous-error-throttling-smtp-auth-submissions
    (Some("550 5.2.x"), "Sender throttled due to continuous", HOUR),
    // Outlook.com for senders of much mail: techcommunity.microsoft.com, "Strengthening Email Ecosystem: Outlook's New
    // Requirements for High-Volume Senders"
    (Some("550 5.7.515"), "Access denied", PauseCampaign),
    // Google Workspace and Gmail: knowledge.workspace.google.com/admin/support/troubleshooting/gmail-smtp-errors-and-codes
    (Some("450 4.2.1"), "Peak SMTP relay limit exceeded", MINUTES_10),
    (Some("450 4.2.1"), "The user you are trying to contact", Plain),
    (Some("550 5.4.5"), "Daily*quota exceeded", HOUR),
    (Some("550 5.4.5"), "Daily*limit exceeded", HOUR),
    (Some("550 5.7.1"), "Daily SMTP relay*limit exceeded", HOUR),
    (Some("421 4.7.28"), "rate of*mail", Slow),
    (Some("421 4.7.0"), "try again later", Slow),
    (Some("550 5.7.26"), "unauthenticated", PauseCampaign),
    // Yahoo: senders.yahooinc.com/smtp-error-codes, help.yahoo.com/kb/SLN3434.html
    (Some("421"), "[TS", Slow),
    // SendGrid: www.twilio.com/docs/sendgrid/for-developers/sending-email/smtp-errors-and-troubleshooting
    (Some("451"), "Maximum credits exceeded", HOUR),
    (None, "not authorized to send from that email address", PauseCampaign),
    // Oracle Email Delivery: docs.oracle.com/en-us/iaas/Content/Email/Concepts/troubleshooting.htm
    (Some("455"), "Maximum messages sent per minute", Slow),
    (Some("455"), "Maximum messages sent per day", HOUR),
    // Emailit: emailit.com/docs/smtp/troubleshooting
    (Some("452 4.4.5"), "per second limit exceeded", Slow),
    (Some("452 4.5.3"), "Daily message limit exceeded", HOUR),
    // RFC 5321, 4.5.3.1.10: recipients of earlier messages on the same connection were counted. A new one helps.
    (Some("452"), "too many recipients", RetryNow),
    // Exim's `smtp_accept_max_per_connection`: exim.org/exim-html-current/doc/html/spec_html/ch-main_configuration.html
    (Some("421"), "too many messages in this connection", RetryNow),
    // Greylisting is about a new pair of addresses, not about our pace (RFC 6647).
    (Some("4xx"), "greylist", Plain),
    (Some("4xx"), "graylist", Plain),
    (Some("4xx"), "grey-list", Plain),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::reply::{Reply, Stage};
    use crate::domain::rules::Rules;

    /// What each provider says, word for word, and what comes of it.
    #[test]
    fn the_known_providers_are_understood() {
        let rules = Rules::default();
        for (code, text, action) in [
            (454, "Throttling failure: Maximum sending rate exceeded.", Some(Slow)),
            (454, "Throttling failure: Daily message quota exceeded.", Some(HOUR)),
            (
                554,
                "Message rejected: Email address is not verified. The following identities failed the check in region US-WEST-2: a",
                Some(PauseCampaign),
            ),
            (432, "4.3.2 Concurrent connections limit exceeded.", Some(Slow)),
            (432, "4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", Some(Slow)),
            (
                554,
                "5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed to process message due to a permanent exception",
                Some(HOUR),
            ),
            (
                554,
                "5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException.MapiExceptionQuotaExceeded",
                Some(PauseCampaign),
            ),
            (550, "5.2.252 Sender throttled due to continuous send as denied errors.", Some(HOUR)),
            (
                550,
                "5.7.515 Access denied, sending domain EXAMPLE.ORG does not meet the required authentication level.",
                Some(PauseCampaign),
            ),
            (450, "4.2.1 Peak SMTP relay limit exceeded for this customer.", Some(MINUTES_10)),
            (450, "4.2.1 The user you are trying to contact is receiving email too quickly.", Some(Plain)),
            (550, "5.4.5 Daily user sending quota exceeded. fp3sm19371391pdb.24 - gsmtp", Some(HOUR)),
            (550, "5.4.5 Daily user sending limit exceeded.", Some(HOUR)),
            (550, "5.7.1 Daily SMTP relay sending limit exceeded for customer.", Some(HOUR)),
            (421, "4.7.28 Gmail has detected an unusual rate of unsolicited mail.", Some(Slow)),
            (421, "4.7.0 Try again later, closing connection. (EHLO) - gsmtp", Some(Slow)),
            (550, "5.7.26 Your email has been blocked because the sender is unauthenticated.", Some(PauseCampaign)),
            (421, "4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume", Some(Slow)),
            (421, "4.7.0 [TS01] Messages from 192.0.2.1 temporarily deferred", Some(Slow)),
            (451, "Authentication failed: Maximum credits exceeded", Some(HOUR)),
            (403, "You are not authorized to send from that email address", Some(PauseCampaign)),
            (455, "Maximum messages sent per minute reached : limit is 10", Some(Slow)),
            (455, "Maximum messages sent per day reached : limit is 200", Some(HOUR)),
            (452, "4.4.5 Messages per second limit exceeded", Some(Slow)),
            (452, "4.5.3 Daily message limit exceeded", Some(HOUR)),
            (452, "4.5.3 Error: too many recipients", Some(RetryNow)),
            (421, "mail.example.org: too many messages in this connection", Some(RetryNow)),
            (451, "4.7.1 Greylisted, please try again in 180 seconds", Some(Plain)),
            (450, "4.2.0 <a@b.c>: Recipient address rejected: Greylisting in effect", Some(Plain)),
            (550, "5.1.1 The email account that you tried to reach does not exist.", None),
            (451, "4.3.0 Temporary failure", None),
            (421, "4.3.2 shutting down", None),
        ] {
            assert_eq!(rules.action(Stage::Dot, &Reply::new(code, text)), action, "{code} {text}");
        }
    }
}
