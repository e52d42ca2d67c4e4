-- One approver, Argo CD: whoever presses the button, the API server knows only the account that Argo CD acts as, and admission refuses any
-- other name here. `kubectl auth whoami` with Argo CD's credentials prints yours; this is the one of an Argo CD in the same cluster.
local approver = "system:serviceaccount:argocd:argocd-server"

-- A word that was said before and does not count keeps its name for ever: the next one needs another.
local number = 1
for _, said in ipairs(obj.status.approvals or {}) do
  if said.approver == approver and said.decision == "Reject" and said.ignored ~= nil then
    number = number + 1
  end
end
local again = number == 1 and "" or "-" .. number

local word = {
  apiVersion = obj.apiVersion,
  kind = "Approval",
  metadata = {
    name = obj.metadata.name .. "-argocd-reject" .. again,
    namespace = obj.metadata.namespace,
    ownerReferences = {
      { apiVersion = obj.apiVersion, kind = obj.kind, name = obj.metadata.name, uid = obj.metadata.uid },
    },
  },
  spec = {
    environment = obj.spec.environment.name,
    run = { name = obj.metadata.name, uid = obj.metadata.uid },
    -- The plan that was on the screen: if another takes its place, this word does not count for it.
    planDigest = obj.status.plan.digest,
    decision = "Reject",
    approver = approver,
    reason = "a person pressed the button in Argo CD",
  },
}

return { { operation = "create", resource = word } }
