-- Only a plan that waits can be decided about.
local waits = obj.status ~= nil and obj.status.phase == "AwaitingApproval"
local known = waits and obj.status.plan ~= nil and obj.status.plan.digest ~= nil
local going = obj.metadata.deletionTimestamp ~= nil
local disabled = going or not known

return {
  ["approve"] = { ["disabled"] = disabled, ["iconClass"] = "fa fa-fw fa-check", ["displayName"] = "Approve this plan" },
  ["reject"] = { ["disabled"] = disabled, ["iconClass"] = "fa fa-fw fa-times", ["displayName"] = "Reject this plan" },
}
