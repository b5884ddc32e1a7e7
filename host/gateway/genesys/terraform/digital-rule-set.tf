# Asks for each contact of a campaign, immediately before it is written to.
#
# The second rule decides. The first one is the cheaper question, and is asked so that a fault stops
# the message whichever way Genesys Cloud reads a data action that fails: as a condition that is not
# true (then the second rule, which is inverted, stops it) or as data that was not found (then the first).

variable "contact_list_id" {
  description = "The contact list of the campaign"
  type        = string
}

variable "phone_column" {
  description = "The column with the telephone number, with its country code"
  type        = string
  default     = "phone"
}

resource "genesyscloud_outbound_digitalruleset" "consentry" {
  name            = "<<integration>>: ask before sending"
  contact_list_id = var.contact_list_id

  rules {
    name     = "Opted out"
    order    = 0
    category = "PreContact"
    conditions {
      inverted = false
      data_action_condition_settings {
        data_action_id            = genesyscloud_integration_action.consentry["get-consent"].id
        data_not_found_resolution = true
        contact_column_to_data_action_field_mappings {
          contact_column_name = var.phone_column
          data_action_field   = "phoneNumber"
        }
        predicates {
          output_field                    = "consentStatus"
          output_operator                 = "Equals"
          comparison_value                = "OPTOUT"
          inverted                        = false
          output_field_missing_resolution = true
        }
      }
    }
    actions {
      do_not_send_action_settings = jsonencode({})
    }
  }

  rules {
    name     = "Not allowed"
    order    = 1
    category = "PreContact"
    conditions {
      inverted = true
      data_action_condition_settings {
        data_action_id            = genesyscloud_integration_action.consentry["pre-flight"].id
        data_not_found_resolution = false
        contact_column_to_data_action_field_mappings {
          contact_column_name = var.phone_column
          data_action_field   = "to"
        }
        predicates {
          output_field                    = "allowed"
          output_operator                 = "Equals"
          comparison_value                = "true"
          inverted                        = false
          output_field_missing_resolution = false
        }
      }
    }
    actions {
      do_not_send_action_settings = jsonencode({})
    }
  }
}

output "digital_rule_set_id" {
  description = "For the rule sets of the messaging campaign"
  value       = genesyscloud_outbound_digitalruleset.consentry.id
}
