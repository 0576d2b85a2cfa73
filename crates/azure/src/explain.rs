//! What Azure's commonest error codes mean, and what to do: one sentence each, for a person who asked for a machine.
//!
//! Sources: learn.microsoft.com "Troubleshoot common Azure deployment errors" and the pages it links to; AKS "common issues".

/// What a code means and what to do; `None` for a code that is not in the list. Case does not matter.
#[must_use]
pub fn explain(code: &str) -> Option<&'static str> {
    CODES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(code))
        .map(|(_, text)| *text)
}

const CODES: &[(&str, &str)] = &[
    (
        "SkuNotAvailable",
        "Azure has none of this size left in the region or zone, or the subscription may not use it there. Choose another size, zone or region.",
    ),
    (
        "NotAvailableForSubscription",
        "This subscription may not use this size in the region. Choose another size, or ask Microsoft's support to open it.",
    ),
    (
        "QuotaExceeded",
        "The subscription's quota for this kind of machine is used up. Choose a size of another family, delete something, or ask for more quota in the Azure portal.",
    ),
    (
        "ResourceQuotaExceeded",
        "A limit on the number of such resources is reached. Delete some, or ask for a higher limit.",
    ),
    (
        "OperationNotAllowed",
        "Azure does not allow this now: a quota is used up, or something else is being done to the same resource. The message says which; wait, or ask for quota.",
    ),
    (
        "EtagMismatch",
        "Something else was done to the cluster or its node pools at the same moment. Wait until it is over, then try again.",
    ),
    (
        "OriginalEtagNotExpect",
        "Another operation on the node pool overtook this one. See in Azure's activity log what it was, then try again.",
    ),
    (
        "AllocationFailed",
        "Azure has no room for this machine in the region right now. Try again later, or choose another size or region.",
    ),
    (
        "ZonalAllocationFailed",
        "Azure has no room for this machine in the zone right now. Choose another zone, no zone, or another size.",
    ),
    (
        "OverconstrainedAllocationRequest",
        "No hardware fulfils all conditions of this machine together (size, disks, placement). Relax one of them.",
    ),
    (
        "OverconstrainedZonalAllocationRequest",
        "No hardware in the zone fulfils all conditions of this machine together. Choose another zone or relax a condition.",
    ),
    (
        "RequestDisallowedByPolicy",
        "An Azure Policy assignment forbids it. The violation names the policy and the property; change that, or ask the policy's owner for an exemption in Azure.",
    ),
    (
        "AuthorizationFailed",
        "Slipway's identity in Azure may not do this. An administrator must give it a role on the subscription or group; a new role takes some minutes to work.",
    ),
    (
        "LinkedAuthorizationFailed",
        "Slipway's identity may write the resource, but not read or join another one that it refers to (a subnet, an identity, a disk encryption set). Give it a role there.",
    ),
    (
        "AuthenticationFailed",
        "Azure did not accept Slipway's token. An administrator should check tenant and credential.",
    ),
    (
        "ExpiredAuthenticationToken",
        "The token had expired when it arrived. Try again; if it stays so, this machine's clock is wrong.",
    ),
    (
        "InvalidAuthenticationTokenTenant",
        "The token is from another tenant than the subscription. An administrator should check the configured tenant.",
    ),
    (
        "AADSTS7000215",
        "The client secret is wrong. An administrator must configure the secret's value, not its id.",
    ),
    (
        "AADSTS7000222",
        "The client secret has expired. An administrator must make a new one and configure it.",
    ),
    (
        "AADSTS700016",
        "The application is not known in this tenant. An administrator should check client id and tenant.",
    ),
    (
        "ScopeLocked",
        "A management lock protects it. Remove the lock in Azure first; it takes some minutes until that holds.",
    ),
    (
        "ResourceNotFound",
        "The resource does not exist. It was deleted outside Slipway, or a name is wrong.",
    ),
    (
        "ResourceGroupNotFound",
        "The resource group does not exist. It was deleted outside Slipway, or has not been made yet.",
    ),
    (
        "ParentResourceNotFound",
        "What this resource should stand in (its cluster, its network) does not exist.",
    ),
    (
        "SubscriptionNotFound",
        "The subscription does not exist, or Slipway's identity has no role in it.",
    ),
    (
        "ResourceGroupBeingDeleted",
        "The resource group is being deleted. Wait until that is done, then try again.",
    ),
    (
        "ResourceGroupDeletionBlocked",
        "Something in the resource group could not be deleted: a lock, something outside that uses it, or a provider that failed. The message says what; try again once that is out of the way.",
    ),
    (
        "InternalServerError",
        "Azure failed at its own work; nothing is wrong with the request. Try again; if it stays so, give the request id to Microsoft's support.",
    ),
    (
        "InvalidResourceGroupLocation",
        "A group of this name exists in another region. Choose another name or that region.",
    ),
    (
        "InvalidResourceLocation",
        "A resource of this name exists in another region. Choose another name or that region.",
    ),
    (
        "LocationNotAvailableForResourceType",
        "This kind of resource is not offered in the region. Choose another region.",
    ),
    (
        "AvailabilityZoneNotSupported",
        "The zone is not offered for this size in the region. Choose one of the zones that the message names, or none.",
    ),
    (
        "InvalidTemplate",
        "The template has an error. Its author must mend it; the message says where.",
    ),
    (
        "InvalidTemplateDeployment",
        "Azure checked the deployment and refused it before anything was made. The inner errors say why.",
    ),
    (
        "PreflightValidationCheckFailed",
        "Azure checked the resources and refused them before anything was made. The inner errors say why.",
    ),
    (
        "DeploymentFailed",
        "At least one resource could not be made. What was made before stays; the inner errors say what went wrong.",
    ),
    (
        "ResourceDeploymentFailure",
        "Azure accepted the resource and could not finish it. The inner errors say why.",
    ),
    (
        "DeploymentActive",
        "A deployment of this name is still running. Wait for it, or cancel it.",
    ),
    (
        "DeploymentCannotBeCancelled",
        "The deployment is over already: there is nothing left to cancel.",
    ),
    (
        "DeploymentQuotaExceeded",
        "The resource group's history holds 800 deployments, which is Azure's limit. Delete old ones.",
    ),
    (
        "MissingSubscriptionRegistration",
        "The subscription is not registered for this provider. An administrator must register it once in the subscription.",
    ),
    (
        "NoRegisteredProviderFound",
        "The region or the api-version is not offered for this kind of resource. Choose another region; otherwise the template is too old or too new for this cloud.",
    ),
    (
        "PropertyChangeNotAllowed",
        "This property cannot change once the resource exists. Put the old value back, or make a new resource.",
    ),
    (
        "ImageNotFound",
        "The image does not exist in the region. Choose another version or region.",
    ),
    (
        "PlatformImageNotFound",
        "The image or its version does not exist in the region. Choose another version or region.",
    ),
    (
        "SubnetIsFull",
        "The subnet has no free address left. Choose another subnet.",
    ),
    (
        "InUseSubnetCannotBeDeleted",
        "Something still uses the subnet. Delete that first.",
    ),
    (
        "OSProvisioningTimedOut",
        "The machine was made, but its operating system did not report in time. Look at its boot log; a wrong cloud-init is the commonest reason.",
    ),
    (
        "VMExtensionProvisioningError",
        "The machine runs, but an extension failed. Its status message says why.",
    ),
    (
        "TooManyRequests",
        "Azure limits how many calls may be made. Slipway waits and goes on by itself.",
    ),
    (
        "SubscriptionRequestsThrottled",
        "Azure limits how many calls may be made in a subscription. Slipway waits and goes on by itself.",
    ),
    (
        "RetryableErrorDueToAnotherOperation",
        "Something else is being done to the same network resource. Slipway tries again by itself.",
    ),
    (
        "AnotherOperationInProgress",
        "Something else is being done to the same resource. Slipway tries again by itself.",
    ),
    (
        "ResourceRequestsThrottled",
        "Azure limits how many calls may be made to one resource. Slipway waits and goes on by itself.",
    ),
    (
        "ResourceCollectionRequestsThrottled",
        "Azure limits how many calls may be made to resources of one kind. Slipway waits and goes on by itself.",
    ),
    (
        "RetryableError",
        "Azure says that the same call works later. Slipway tries again by itself.",
    ),
    (
        "InsufficientVCPUQuota",
        "The subscription's quota of vCPUs in this region is used up. Choose a smaller size or another region, delete what is not needed, or ask an administrator to raise the quota.",
    ),
    (
        "ErrCode_InsufficientVCPUQuota",
        "The subscription's quota of vCPUs in this region is used up. Choose a smaller size or fewer nodes, delete what is not needed, or ask an administrator to raise the quota.",
    ),
    (
        "PublicIPCountLimitReached",
        "The subscription may have no more public addresses in this region. Delete one that is not needed, or ask an administrator to raise the limit.",
    ),
    (
        "InvalidRequestContent",
        "Azure could not read what it was sent. The message names the member; the template's author must correct it.",
    ),
    (
        "LocationRequired",
        "A resource of the template names no region. The template's author must add it.",
    ),
    (
        "DeploymentNameLengthLimitExceeded",
        "The deployment's name is longer than 64 characters. An administrator should report this; nothing was changed.",
    ),
    (
        "AuthorityTimeout",
        "Entra did not give a token in time. Slipway tries again by itself; if it stays so, check the network and the configured authority.",
    ),
    (
        "CredentialFailed",
        "Slipway could not get a token with its configured credential. An administrator should check it; the message says what is wrong.",
    ),
    (
        "UnreadableAnswer",
        "What came back is no answer of Azure's that Slipway knows. Check whether a proxy stands in between, and the configured endpoint.",
    ),
    (
        "PausedByAzure",
        "Azure asked for a pause that is longer than this call can wait. Slipway goes on by itself when it is over.",
    ),
    (
        "OwnQueueFull",
        "Slipway has more calls to Azure under way than it lets out at once. It goes on by itself.",
    ),
    (
        "WaitedTooLong",
        "The call waited for its turn under Azure's limits until its time was over; it was not sent. Slipway tries again by itself.",
    ),
    (
        "LostAnswer",
        "No answer came, so it is not known whether Azure did it. Slipway looks for the result before it does anything again.",
    ),
    (
        "Unreachable",
        "Azure's endpoint could not be reached. Check the network and the configured endpoint; nothing was changed.",
    ),
    (
        "ForeignPollUrl",
        "Azure, or something in between, named an address outside the configured endpoint. Nothing was sent there. Check the endpoint configuration.",
    ),
];
