-- An Approval is somebody's word. It is there or it is not: what it brings about is told by the Run.
return { status = "Healthy", message = obj.spec.approver .. ": " .. obj.spec.decision }
