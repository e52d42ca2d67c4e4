-- Health of an Environment. Plain Lua 5.1 without libraries, as Argo CD runs it.
--
-- Healthy:     everything that is declared is applied, for the spec of now.
-- Progressing: something is under way, or time will bring what is missing.
-- Suspended:   nothing is wrong; a person has to say something, or a window has to open.
-- Degraded:    nothing goes on until a person mends something.

-- Reasons that mean waiting for a word or for an hour, whatever condition carries them.
local waits = {
  AwaitingApproval = true,
  RemovalNeedsConfirmation = true,
  Suspended = true,
  WindowClosed = true,
  Expired = true,
}

local function condition(kind)
  if obj.status ~= nil and obj.status.conditions ~= nil then
    for _, one in ipairs(obj.status.conditions) do
      if one.type == kind then
        return one
      end
    end
  end
  return { status = "Unknown", reason = "", message = "" }
end

local ready = condition("Ready")
local stalled = condition("Stalled")
local reconciling = condition("Reconciling")

if obj.status == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return { status = "Progressing", message = "the operator has not seen this spec yet" }
end
if stalled.status == "True" then
  if waits[stalled.reason] then
    return { status = "Suspended", message = stalled.message }
  end
  return { status = "Degraded", message = stalled.message }
end
if obj.metadata.deletionTimestamp ~= nil then
  return { status = "Progressing", message = ready.message }
end
if ready.status == "True" then
  return { status = "Healthy", message = ready.message }
end
-- Its lifetime is over, and what it made is being destroyed: that is under way. Where a plan of that waits, Ready says so instead.
local ending = ready.reason == "Expired" and reconciling.status == "True"
if waits[ready.reason] and not ending then
  return { status = "Suspended", message = ready.message }
end
return { status = "Progressing", message = ready.message }
