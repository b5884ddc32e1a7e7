# Everything of this export for Genesys Cloud: the integrations, the data actions and flows from the
# folders beside this one, and the rule set that stands before a campaign.

terraform {
  required_providers {
    genesyscloud = {
      source  = "mypurecloud/genesyscloud"
      version = ">= 1.70.0"
    }
  }
}

variable "consentry_api_key" {
  description = "A key of Consentry with the scopes read, preflight and write"
  type        = string
  sensitive   = true
}

variable "sending_client_id" {
  description = "An OAuth client (client credentials) whose role may send agentless messages"
  type        = string
}

variable "sending_client_secret" {
  description = "Its secret"
  type        = string
  sensitive   = true
}

locals {
  folder  = "${path.module}/../data-actions"
  actions = { for name in fileset(local.folder, "*.json") : trimsuffix(name, ".json") => jsondecode(file("${local.folder}/${name}")) }
  # Which integration runs which data actions.
  integrations = {
    "custom-rest-actions"    = { name = "<<integration>>", id = genesyscloud_integration.asking.id }
    "purecloud-data-actions" = { name = "<<sending-integration>>", id = genesyscloud_integration.sending.id }
  }
}

# Consentry is asked with an API key.
resource "genesyscloud_integration_credential" "asking" {
  name                 = "<<integration>>"
  credential_type_name = "userDefined"
  fields = {
    apiKey = var.consentry_api_key
  }
}

resource "genesyscloud_integration" "asking" {
  integration_type = "custom-rest-actions"
  intended_state   = "ENABLED"
  config {
    name = "<<integration>>"
    credentials = {
      basicAuth = genesyscloud_integration_credential.asking.id
    }
  }
}

# Genesys Cloud sends with an OAuth client of its own.
resource "genesyscloud_integration_credential" "sending" {
  name                 = "<<sending-integration>>"
  credential_type_name = "pureCloudOAuthClient"
  fields = {
    clientId     = var.sending_client_id
    clientSecret = var.sending_client_secret
  }
}

resource "genesyscloud_integration" "sending" {
  integration_type = "purecloud-data-actions"
  intended_state   = "ENABLED"
  config {
    name = "<<sending-integration>>"
    credentials = {
      pureCloudOAuthClient = genesyscloud_integration_credential.sending.id
    }
  }
}

resource "genesyscloud_integration_action" "consentry" {
  for_each               = local.actions
  name                   = each.value.name
  category               = local.integrations[each.value.integrationType].name
  integration_id         = local.integrations[each.value.integrationType].id
  secure                 = each.value.secure
  config_timeout_seconds = 10
  contract_input         = jsonencode(each.value.contract.input.inputSchema)
  contract_output        = jsonencode(each.value.contract.output.successSchema)
  config_request {
    request_url_template = each.value.config.request.requestUrlTemplate
    request_type         = each.value.config.request.requestType
    request_template     = each.value.config.request.requestTemplate
    headers              = each.value.config.request.headers
  }
  config_response {
    translation_map          = each.value.config.response.translationMap
    translation_map_defaults = each.value.config.response.translationMapDefaults
    success_template         = each.value.config.response.successTemplate
  }
}

resource "genesyscloud_flow" "inbound" {
  filepath   = "${path.module}/../flows/inbound-message.yaml"
  depends_on = [genesyscloud_integration_action.consentry]
}

resource "genesyscloud_flow" "outbound" {
  filepath   = "${path.module}/../flows/outbound-message.yaml"
  depends_on = [genesyscloud_integration_action.consentry]
}
