<?php
$subplugins = array(
    'tabexport' => 'totara/core/tabexport',
);
