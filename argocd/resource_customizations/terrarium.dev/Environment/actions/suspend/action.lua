-- Where Argo CD heals by itself, spec.suspend must be among the ignoreDifferences of the Application, or git takes it back.
obj.spec.suspend = true
return obj
