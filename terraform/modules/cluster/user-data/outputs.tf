output "text" {
  description = "The user data as cloud-init reads it."
  value       = local.text

  precondition {
    condition     = alltrue([for value in values(local.settings) : !can(regex("['\\n]", value))])
    error_message = "No setting may hold a quote or a line's end."
  }
}

output "packed" {
  description = "The same, gzipped and in base64, as a launch template wants it: EC2 takes 16 KB at most."
  value       = local.packed

  precondition {
    condition     = length(local.packed) * 3 / 4 <= 16384
    error_message = "The user data has more than 16 KB: give fewer or shorter objects."
  }
}
