-- Health of a Run: one attempt. Plain Lua 5.1 without libraries, as Argo CD runs it.
--
-- Healthy:     it ended as it should, or it was given up because something newer took its place.
-- Progressing: it is under way.
-- Suspended:   its plan waits for people.
-- Degraded:    it failed, or it cannot go on without a person.

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

local succeeded = condition("Succeeded")
local stalled = condition("Stalled")
local phase = nil
if obj.status ~= nil then
  phase = obj.status.phase
end

if stalled.status == "True" then
  return { status = "Degraded", message = stalled.message }
end
if phase == "Succeeded" or phase == "Cancelled" then
  return { status = "Healthy", message = succeeded.message }
end
if phase == "AwaitingApproval" then
  return { status = "Suspended", message = succeeded.message }
end
if phase == "Failed" or phase == "Interrupted" then
  return { status = "Degraded", message = succeeded.message }
end
if phase == nil then
  return { status = "Progressing", message = "the operator has not seen this Run yet" }
end
return { status = "Progressing", message = succeeded.message }
